var store: PostgresStore { given() }
