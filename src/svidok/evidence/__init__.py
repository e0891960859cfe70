"""Evidence from booking in to a bundle that a stranger checks: cases, exhibits, custody, transfer, redaction."""
