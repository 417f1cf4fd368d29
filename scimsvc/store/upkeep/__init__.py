"""Operations on a whole database: checks, backups, and copies to another database."""
