"""What becomes of log records before they are written."""

import logging


class WithoutTraceback(logging.Filter):
    """Keeps the sentence: whoever reaches the port could otherwise write forty lines with each request."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Drop the traceback, keep the record."""
        record.exc_info = record.exc_text = None
        return True
