"""SQL and the pool that it runs on: statements by name in `.sql` files, thin functions that run them."""
