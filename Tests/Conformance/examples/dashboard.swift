var adasPassword: String { given() }
var teamPassword: String { given() }

func jobs() throws -> JobRegistry { given() }
