var router: Router<JobRequestContext> { given() }
var application: Application<RouterResponder<JobRequestContext>> {
  get { given() }
  nonmutating set {}
}
