// Placeholder until the command lands.
@main enum Main { static func main() {} }
