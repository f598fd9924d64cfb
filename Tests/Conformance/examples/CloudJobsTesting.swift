var local: SimulatedRuntime { given() }
var harness: StoreConformance.Harness { given() }
