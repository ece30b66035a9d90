"""How numbers, spans, payloads and facts are written for people. Pure: imports nothing but leaves."""
