"""DynamoDB: tables on SQLite, with expressions, indexes, transactions, PartiQL and backups."""
