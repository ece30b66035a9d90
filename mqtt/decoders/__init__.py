"""Payload dialects: pure functions from an InboundMessage to what it means; `registry` chooses among them."""
