"""From events to rows: pure functions, without a client, a clock or an await."""
