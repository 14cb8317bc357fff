"""Real Apache Kafka and real PostgreSQL for a first look and for tests, without Docker.

In: a folder. Out: both servers running on 127.0.0.1, and their addresses. The verbs are in
`sandbox.embedded.stack`: `up`, `down`, `status`, `running`, and `start`, `stop`, `restart` for one
server alone.
"""
