var store: FirestoreStore { given() }
var sync: CloudSync { given() }
