"""Pages kept true: the hub of a web process, what each open page still owes its browser, and how rows are rendered."""

from mqtt.live.changes import change_of
from mqtt.live.hub import FORBIDDEN, LOGGED_OUT, LiveHub, current_hub
from mqtt.live.viewer import MOST_ROWS, Viewer

__all__ = ["FORBIDDEN", "LOGGED_OUT", "MOST_ROWS", "LiveHub", "Viewer", "change_of", "current_hub"]
