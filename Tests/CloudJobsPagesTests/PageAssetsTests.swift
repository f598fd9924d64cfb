#if Server
import CloudJobsPages
import Testing

@Test("The style sheet is in the program")
func styleSheetIsEmbedded() {
  #expect(!PageAssets.style.isEmpty)
}
#endif
