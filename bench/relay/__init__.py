"""How fast the relay is, from the outbox to the topic, against a bare producer of the same records."""
