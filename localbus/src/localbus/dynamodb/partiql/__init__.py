"""PartiQL for DynamoDB: statements, parsed once by their text, as searches and writes of tables."""
