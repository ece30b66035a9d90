"""The keys of Home Assistant's discovery messages: long or short, and `~` for the base of topics."""

from typing import Any

from mqtt.decoders.vocabulary import words

COMPONENTS = words(
    """alarm_control_panel binary_sensor button camera climate cover date datetime device device_automation
    device_tracker event fan humidifier image lawn_mower light lock notify number remote scene select sensor siren
    switch tag text time update vacuum valve water_heater"""
)
_SHORT = """
    avty availability, avty_mode availability_mode, avty_t availability_topic, avty_tpl availability_template,
    pl_avail payload_available, pl_not_avail payload_not_available,
    cmd_t command_topic, dev device, dev_cla device_class, exp_aft expire_after, json_attr_t json_attributes_topic,
    pl_on payload_on, pl_off payload_off, stat_on state_on, stat_off state_off, stat_t state_topic, t topic,
    uniq_id unique_id, unit_of_meas unit_of_measurement, val_tpl value_template, stat_val_tpl state_value_template,
    temp_unit temperature_unit, cmps components, o origin, p platform, obj_id object_id, def_ent_id default_entity_id,
    act_t action_topic, act_tpl action_template, pos_t position_topic, pos_tpl position_template,
    tilt_status_t tilt_status_topic, tilt_status_tpl tilt_status_template,
    bri_stat_t brightness_state_topic, bri_val_tpl brightness_value_template,
    clr_temp_stat_t color_temp_state_topic, clr_temp_val_tpl color_temp_value_template,
    curr_temp_t current_temperature_topic, curr_temp_tpl current_temperature_template,
    curr_hum_t current_humidity_topic, curr_hum_tpl current_humidity_template,
    temp_stat_t temperature_state_topic, temp_stat_tpl temperature_state_template,
    temp_hi_stat_t temperature_high_state_topic, temp_hi_stat_tpl temperature_high_state_template,
    temp_lo_stat_t temperature_low_state_topic, temp_lo_stat_tpl temperature_low_state_template,
    hum_stat_t target_humidity_state_topic, hum_state_tpl target_humidity_state_template,
    mode_stat_t mode_state_topic, mode_stat_tpl mode_state_template,
    fan_mode_stat_t fan_mode_state_topic, fan_mode_stat_tpl fan_mode_state_template,
    swing_mode_stat_t swing_mode_state_topic, swing_mode_stat_tpl swing_mode_state_template,
    pr_mode_stat_t preset_mode_state_topic, pr_mode_val_tpl preset_mode_value_template,
    pct_stat_t percentage_state_topic, pct_val_tpl percentage_value_template,
    bat_lev_t battery_level_topic, bat_lev_tpl battery_level_template,
    fx_stat_t effect_state_topic, fx_val_tpl effect_value_template,
    clrm_stat_t color_mode_state_topic, clrm_val_tpl color_mode_value_template,
    rgb_stat_t rgb_state_topic, rgb_val_tpl rgb_value_template, rgbw_stat_t rgbw_state_topic,
    rgbw_val_tpl rgbw_value_template, rgbww_stat_t rgbww_state_topic, rgbww_val_tpl rgbww_value_template,
    hs_stat_t hs_state_topic, hs_val_tpl hs_value_template, xy_stat_t xy_state_topic, xy_val_tpl xy_value_template,
    osc_stat_t oscillation_state_topic, osc_val_tpl oscillation_value_template,
    dir_stat_t direction_state_topic, dir_val_tpl direction_value_template,
    act_stat_t activity_state_topic, act_val_tpl activity_value_template
"""
ABBREVIATIONS: dict[str, str] = dict(pair.split() for pair in _SHORT.split(","))
DEVICE_ABBREVIATIONS = {
    "ids": "identifiers",
    "cns": "connections",
    "mf": "manufacturer",
    "mdl": "model",
    "mdl_id": "model_id",
    "hw": "hw_version",
    "sw": "sw_version",
    "sa": "suggested_area",
    "sn": "serial_number",
}
ASPECTS = (
    ("", "state", "value_template", "", ""),
    ("current_temperature", "current_temperature", "current_temperature_template", "temperature", "°"),
    ("temperature", "temperature_state", "temperature_state_template", "temperature", "°"),
    ("temperature_high", "temperature_high_state", "temperature_high_state_template", "temperature", "°"),
    ("temperature_low", "temperature_low_state", "temperature_low_state_template", "temperature", "°"),
    ("current_humidity", "current_humidity", "current_humidity_template", "humidity", "%"),
    ("target_humidity", "target_humidity_state", "target_humidity_state_template", "humidity", "%"),
    ("mode", "mode_state", "mode_state_template", "", ""),
    ("action", "action", "action_template", "", ""),
    ("fan_mode", "fan_mode_state", "fan_mode_state_template", "", ""),
    ("swing_mode", "swing_mode_state", "swing_mode_state_template", "", ""),
    ("preset_mode", "preset_mode_state", "preset_mode_value_template", "", ""),
    ("percentage", "percentage_state", "percentage_value_template", "", "%"),
    ("position", "position", "position_template", "", ""),
    ("tilt", "tilt_status", "tilt_status_template", "", ""),
    ("brightness", "brightness_state", "brightness_value_template", "", ""),
    ("color_temp", "color_temp_state", "color_temp_value_template", "", ""),
    ("battery", "battery_level", "battery_level_template", "battery", "%"),
    ("attributes", "json_attributes", "json_attributes_template", "", ""),
    ("effect", "effect_state", "effect_value_template", "", ""),
    ("color_mode", "color_mode_state", "color_mode_value_template", "", ""),
    ("rgb", "rgb_state", "rgb_value_template", "", ""),
    ("rgbw", "rgbw_state", "rgbw_value_template", "", ""),
    ("rgbww", "rgbww_state", "rgbww_value_template", "", ""),
    ("hs", "hs_state", "hs_value_template", "", ""),
    ("xy", "xy_state", "xy_value_template", "", ""),
    ("oscillation", "oscillation_state", "oscillation_value_template", "", ""),
    ("direction", "direction_state", "direction_value_template", "", ""),
    ("activity", "activity_state", "activity_value_template", "", ""),
)
"""What an entity tells on topics of their own: (name, key without `_topic`, key of its template, kind, unit); the
unit `°` is the entity's temperature unit."""
ALONE = frozenset(words("effect color_mode rgb rgbw rgbww hs xy"))
"""Told only where their topic is not the state's too: its JSON says them as they stand."""


def expanded(found: dict[str, Any]) -> dict[str, Any]:
    """With long keys, and `~` filled in; of two spellings of a key the long one counts."""
    whole = {ABBREVIATIONS[key]: value for key, value in found.items() if key in ABBREVIATIONS}
    whole |= {key: value for key, value in found.items() if key not in ABBREVIATIONS}
    base = whole.get("~")
    if isinstance(base, str):
        for key, value in whole.items():
            if key.endswith("topic") and isinstance(value, str):
                whole[key] = _filled(value, base)
    return whole


def base_filled(topic: Any, found: dict[str, Any]) -> str:
    """A topic of an inner object, with the base of the whole message; empty when it is none."""
    if not isinstance(topic, str):
        return ""
    base = found.get("~")
    return _filled(topic, base) if isinstance(base, str) else topic


def _filled(topic: str, base: str) -> str:
    if topic.startswith("~"):
        topic = base + topic[1:]
    return topic[:-1] + base if topic.endswith("~") else topic


def device_of(found: dict[str, Any]) -> dict[str, Any]:
    """The device block with long keys; empty without one."""
    device = found.get("device")
    if not isinstance(device, dict):
        return {}
    return {DEVICE_ABBREVIATIONS.get(str(key), str(key)): value for key, value in device.items()}
