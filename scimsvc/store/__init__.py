"""What is stored: transactions, every SELECT, rows to SCIM and back, filters to SQL."""
