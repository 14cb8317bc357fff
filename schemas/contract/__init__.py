"""The contract with other systems: JSON Schemas, the AsyncAPI document, and what of it is released."""
