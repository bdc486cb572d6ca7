"""Storage: SQLAlchemy Core on SQLite or PostgreSQL; the caller owns the transaction."""
