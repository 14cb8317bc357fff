"""From the outbox to the topics."""
