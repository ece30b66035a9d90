"""LoRaWAN network servers and gateways: what a codec made of the frame, and who received it how well."""
