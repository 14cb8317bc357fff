"""The HTTP API under `/api/v1`: one module for each subject, put together in `server.app`.

A request comes in, is held against who may ask for what and how often, and against its own form; what goes
out is `{"success": true, "data": …}`, or `{"success": false, "error": …}` with a true status. `docs/api.md`
is its reference.
"""
