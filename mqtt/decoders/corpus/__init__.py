"""How well the decoders do on messages whose meaning is known: `lines` reads a corpus, `judge` compares."""
