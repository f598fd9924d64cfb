func jobs() throws -> JobRegistry { given() }
