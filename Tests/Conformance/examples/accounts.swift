var accounts: DatabasePool { given() }

func transfer(in database: Database) throws {}
