"""The words of many devices: for times, facts, kinds of what is measured, and units; without case and signs."""


def words(text: str) -> frozenset[str]:
    """The words of a list that reads better without quotes and commas."""
    return frozenset(text.split())


TIME_KEYS = words(
    """timestamp timestampms timestampus timestampns timestamputc ts tsms time timems timeutc utctime datetime dateutc
    utc date epoch epochms epochtime unix unixtime unixtimestamp tst measuredat sampledat observedat recordedat
    sampletime measurementtime lastseen createdat eventtime lastupdated lastupdate updatedat recvtime gwrecvtime rxtime
    receivetime
    receivedat servertime devicetime readtimestamp readingtimestamp sampletimestamp datatimestamp devicetimestamp
    measurementtimestamp sensortimestamp sourcetimestamp servertimestamp eventtimestamp readtime readingtime
    acquisitiontime samplingtime messagetime collectedat capturedat loggedat reportedat isotime isodate timestampiso
    datetimeutc localtime phenomenontime resulttime timeinstant sentat publishedat
    updatetime observationtime obstime sensortime collecttime recordtime reporttime
    dataora fecha fechahora zeitstempel horodatage"""
)
SUBJECTS = words(
    """sensor logger datalogger meter station probe machine equipment asset tracker inverter controller pump tank bin
    lift elevator detector spot instrument"""
)
"""Things that a message may be about, and that have an id or a serial number of their own."""
SUBJECT_IDS = frozenset(f"{subject}id" for subject in SUBJECTS)
SUBJECT_SERIALS = frozenset(
    f"{subject}{tail}" for subject in SUBJECTS for tail in ("sn", "serial", "serialnumber", "serialno")
)
FACT_KEYS = {
    "firmware": "firmware fw fwver fwversion firmwareversion swversion softwareversion version sw installedversion",
    "model": "model modelid modelname devicemodel product productname",
    "hardware": "hardware hw hwversion hardwareversion hwrev",
    "manufacturer": "manufacturer vendor brand",
    "mac": "mac macaddress macaddr macid",
    "ip": "ip ipaddress ipaddr localip wifiip",
    "hostname": "hostname host",
    "ssid": "ssid wifissid",
    "bssid": "bssid",
    "rssi": "rssi rssidbm wifirssi signal signalstrength signaldbm",
    "snr": "snr lorasnr snrdb",
    "linkquality": "linkquality lqi",
    "uptime": "uptime uptimesec uptimeseconds uptimes uptimems",
    "serial": f"serial serialnumber sn deviceserial serialno devicesn devsn cserialnumber {' '.join(SUBJECT_SERIALS)}",
    "id": "id deviceid device devid deveui nodeid node uuid uid imei imsi iccid ieeeaddress uniqueid meternumber "
    f"idwasp coreid chipid esp8266id deviceexternalid externalid devicecode deviceno {' '.join(SUBJECT_IDS)}",
    "gateway": "gateway gatewayid gatewayeui gweui gwid gatewaysn gwsn gatewayserial gatewayserialnumber hubsn hubid",
    "name": "name devicename friendlyname displayname stationname alias label",
    "type": "type devicetype sensortype",
    "free_memory": "freeheap heap freemem freememory heapfree",
    "reset_reason": "resetreason restartreason",
    "sequence": "seq sequence sequencenumber seqno seqnum seqnumber msgid messageid msgnum packetid",
    "interval": "messageintervalseconds sendinterval reportinterval",
}
INNER = words(
    """fport fcnt fcntup fcntdown fcntup32 devaddr adr qc rqi qualitycode crc checksum qos retain schemaversion
    protocolversion msgtype messagetype schema topic cfg config configuration settings cmd command method ttl
    siteid tenantid customerid organizationid orgid projectid applicationid appid userid username accountid"""
)
"""Of a frame or a tag, and not of what is measured."""
KINDS = {
    "temperature": "temperature temp temperatur temperatura tempc tempf dewpoint dew heatindex windchill celsius",
    "humidity": "humidity hum humi rh rhum relhum humid umidita humidite humedad umidade luftfeuchte luftfeuchtigkeit",
    "pressure": "pressure press baro barometer barom pressione presion pressao druck luftdruck mslp",
    "voltage": "voltage volt volts vcc vbat vbatt tensione uac udc vac vdc upv vpv",
    "current": "current amps ampere amperes corrente iac idc ipv",
    "power": "power watt watts apower potenza pac pdc ppv pgrid pload",
    "energy": "energy kwh energia aenergy",
    "battery": "battery batt bat soc batteria batterylevel",
    "frequency": "frequency freq",
    "illuminance": "illuminance lux light luminosity",
    "co2": "co2 eco2",
    "voc": "voc tvoc",
    "pm": "pm1 pm10 pm25 pm4",
    "level": "level livello stage",
    "distance": "distance dist distanza depth height visibility",
    "displacement": "displacement crack crackmeter elongation spostamento",
    "strain": "strain deformation",
    "angle": "angle tilt pitch roll yaw inclination inclinometer heading azimuth",
    "acceleration": "acceleration accelerometer accel acc",
    "vibration": "vibration vibrazione velocityrms",
    "flow": "flow flowrate portata",
    "speed": "speed windspeed velocity windgust",
    "direction": "direction winddir winddirection bearing",
    "rain": "rain rainfall precipitation pioggia rainrate",
    "moisture": "moisture soilmoisture",
    "conductivity": "conductivity ec",
    "ph": "ph",
    "weight": "weight mass peso",
    "altitude": "altitude alt elevation",
    "latitude": "latitude lat",
    "longitude": "longitude lon lng",
    "signal": "rssi snr linkquality lqi",
    "opening": "contact door window",
    "motion": "motion occupancy presence pir",
    "volume": "volume",
}

UNITS = {
    "°C": "celsius degc tempc °c",
    "°F": "fahrenheit degf tempf °f",
    "%": "pct percent percentage %",
    "hPa": "hpa",
    "kPa": "kpa",
    "Pa": "pa",
    "bar": "bar",
    "mbar": "mbar",
    "psi": "psi",
    "inHg": "inhg",
    "mmHg": "mmhg",
    "W/m²": "wpm2 wm2",
    "V": "volt volts",
    "mV": "mv millivolt millivolts",
    "A": "amp amps ampere amperes",
    "mA": "ma milliamps",
    "W": "watt watts",
    "kW": "kw",
    "Wh": "wh",
    "kWh": "kwh",
    "MWh": "mwh",
    "VA": "va",
    "var": "var",
    "Hz": "hz hertz",
    "kHz": "khz",
    "MHz": "mhz",
    "ms": "ms millis milliseconds",
    "µs": "us",
    "s": "sec secs seconds",
    "min": "minutes",
    "h": "hours",
    "mm/h": "mmh mmph",
    "mm": "mm",
    "cm": "cm",
    "km": "km",
    "m": "meter meters metre metres",
    "µm": "um",
    "in": "inch inches",
    "ft": "foot feet",
    "mi": "mile miles",
    "ppm": "ppm",
    "ppb": "ppb",
    "µg/m³": "ugm3",
    "lx": "lux lx",
    "°": "deg degrees",
    "mg": "mg",
    "mg/L": "mgl",
    "kg": "kg",
    "dB": "db",
    "dBm": "dbm",
    "km/h": "kmh kph",
    "m/s": "mps",
    "mph": "mph",
    "kn": "knot knots",
    "L": "liter liters litre litres",
    "m³": "m3",
    "L/min": "lpm",
    "L/h": "lph",
    "m³/h": "m3h m3ph",
    "m³/s": "m3s m3ps",
    "L/s": "lps",
    "kVA": "kva",
    "kvar": "kvar",
    "Ω": "ohm ohms",
    "rpm": "rpm",
    "µS/cm": "uscm",
    "µε": "microstrain ue",
}

SPELLINGS = {
    "°C": "C|Cel|CEL|degC|celsius|ºC|℃|°celsius|deg. celsius|degree celsius|degrees c|degrees celsius|deg C"
    "|degreesCelsius",
    "°F": "FAH|F|degF|fahrenheit|ºF|℉|[degF]|degrees f|degrees fahrenheit|deg F|degreesFahrenheit",
    "K": "Kelvin|degreesKelvin",
    "%": "P1|%RH|%rh|%rH|% RH|RH|%EL|percent|percentage|percentRelativeHumidity|pct|PCT|Pct",
    "%/s": "%/S",
    "hPa": "A97|hpa|HPa|hPascal|hectopascals",
    "kPa": "kpa|KPa|kPascal|kilopascals",
    "Pa": "PAL|pascal|pascals",
    "mbar": "mb|millibar|mBar",
    "V": "VLT|volt|volts|VDC|Vdc|VAC|Vac",
    "mV": "mv|millivolt|millivolts",
    "A": "AMP|amp|amps|Amp|ampere|amperes",
    "mA": "milliamp|milliamps|milliamperes",
    "W": "WTT|watt|watts",
    "kW": "KWT|kw|KW|kilowatt|kilowatts",
    "kWh": "kwh|KWH|KWh|kW h|kW.h|kilowattHours",
    "Wh": "watt hours|wattHours",
    "Hz": "HTZ|hz|HZ|hertz",
    "lx": "lux|Lux|LUX|luxes",
    "ppm": "partsPerMillion",
    "°": "deg|Deg|degree|degrees|lon|lat",
    "µg/m³": "ug/m3|µg/m3|ug/m³|ug/m^3|µg/m^3",
    "mg/m³": "mg/m3|mg/m^3",
    "m²": "m2|m^2",
    "m³": "m3|m^3|cbm",
    "m³/h": "MQH|m3/h|m^3/h|m3/hr|cubicMetersPerHour",
    "m³/s": "m3/s|m^3/s",
    "m/s²": "m/s2|m/s^2",
    "W/m²": "W/m2|W/m^2",
    "µS/cm": "uS/cm",
    "µm": "um|micron|microns",
    "µs": "us|usec",
    "µV": "uV",
    "µA": "uA",
    "µε": "ue|microstrain|uStrain|με|ustrain|microstrains",
    "Ω": "ohm|ohms|Ohm",
    "kΩ": "kOhm|kOhms",
    "L": "LTR|l|liter|liters|litre|litres",
    "L/min": "l/min|LPM|lpm|litersPerMinute",
    "L/h": "l/h",
    "L/s": "l/s|litersPerSecond",
    "s": "sec|secs|seconds",
    "min": "minutes",
    "h": "hr|hrs|hours",
    "km/h": "kph|kmh|KPH",
    "m/s": "MTS|meters/second|mps",
    "mph": "MPH|miles/hour",
    "m": "MTR|meter|meters|metre|metres",
    "mm": "MMT|millimeter|millimeters",
    "": "/|none|-|unitless|dimensionless|count|1|noUnits",
}
BY_SPELLING = {spelling: unit for unit, spellings in SPELLINGS.items() for spelling in spellings.split("|")}
