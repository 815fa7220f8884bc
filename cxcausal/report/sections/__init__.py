"""The sections of the page, one module each: a name, and what it prints from the result."""
