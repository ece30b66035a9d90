"""Django's PostgreSQL backend, with what Vedetta insists on for each connection."""
