"""Everything about Kafka: clients, topics, and how batches are read."""
