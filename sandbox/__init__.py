"""What Lapstream is tried on, on one machine.

`embedded` runs a real Kafka and a real PostgreSQL, `sample_site` is a timing site.
"""
