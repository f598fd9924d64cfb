var dashboard: DashboardOptions {
  get { given() }
  nonmutating set {}
}
var admins: Set<String> { given() }

func verifiedName(of request: HTTPRequest) async throws(JobError) -> String { given() }
