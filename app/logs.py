"""What becomes of log records before they are written."""

import logging


class WithoutTraceback(logging.Filter):
    """Keeps the sentence: whoever reaches the port could otherwise write forty lines with each request."""

    def __init__(self, below: int = logging.CRITICAL) -> None:
        """`below`: records from this level on keep their traceback."""
        super().__init__()
        self._below = below

    def filter(self, record: logging.LogRecord) -> bool:
        """Drop the traceback, keep the record."""
        if record.levelno < self._below:
            record.exc_info = record.exc_text = None
        return True
