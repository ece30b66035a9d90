"""The words of many devices: for times, facts, kinds of what is measured, and units; without case and signs."""


def words(text: str) -> frozenset[str]:
    """The words of a list that reads better without quotes and commas."""
    return frozenset(text.split())


TIME_KEYS = words(
    """timestamp timestampms timestampus timestampns timestamputc ts tsms time timems timeutc utctime datetime dateutc
    utc date epoch epochms epochtime unixtime unixtimestamp tst measuredat sampledat observedat recordedat sampletime
    measurementtime lastseen createdat eventtime lastupdated lastupdate updatedat recvtime gwrecvtime rxtime receivetime
    receivedat servertime devicetime readtimestamp readingtimestamp sampletimestamp datatimestamp devicetimestamp
    measurementtimestamp sensortimestamp sourcetimestamp servertimestamp eventtimestamp readtime readingtime
    acquisitiontime samplingtime messagetime collectedat capturedat loggedat reportedat isotime isodate timestampiso
    datetimeutc localtime phenomenontime resulttime timeinstant sentat publishedat
    updatetime observationtime obstime sensortime collecttime recordtime reporttime"""
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
    "gateway": "gatewayid gatewayeui gweui gwid gatewaysn gwsn gatewayserial gatewayserialnumber hubsn hubid",
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
    siteid tenantid customerid organizationid orgid projectid applicationid appid"""
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
    "kVA": "kva",
    "kvar": "kvar",
    "Ω": "ohm ohms",
    "rpm": "rpm",
    "µS/cm": "uscm",
    "µε": "microstrain ue",
}
