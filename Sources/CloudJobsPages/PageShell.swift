#if Server
package import CloudJobsCore

/// The values of the layout around a page.
package struct PageShell: Sendable {
  /// A link of the navigation.
  package struct Link: Sendable {
    /// The text.
    package var label: String
    /// The path.
    package var href: String
    /// The letter that, after `g`, leads there.
    package var key: String
    /// Whether the page belongs to it.
    package var isCurrent: Bool
    /// A number beside it, such as that of dead letters; nil for none.
    package var badge: String?

    /// Creates a link.
    package init(_ label: String, href: String, key: String, isCurrent: Bool = false, badge: String? = nil) {
      (self.label, self.href, self.key, self.isCurrent, self.badge) = (label, href, key, isCurrent, badge)
    }
  }

  /// A message about what the visitor has just done.
  package struct Message: Sendable {
    /// Whether it failed.
    package var isError: Bool
    /// The message.
    package var text: String

    /// Creates a message.
    package init(_ text: String, isError: Bool = false) { (self.text, self.isError) = (text, isError) }
  }

  /// A word of the pages with its explanation, as the partial template `word` shows it in a link's attributes.
  package struct Word: Sendable {
    /// The word, within a sentence.
    package var wordName: String
    /// The explanation.
    package var wordText: String
    /// The path of the page that explains all words, with the place of this one.
    package var wordHref: String

    /// Creates a word.
    package init(_ name: String, _ text: String, href: String) { (wordName, wordText, wordHref) = (name, text, href) }
  }

  /// The name of the dashboard, at the top of every page.
  package var product: String
  /// The title of the page.
  package var title: String
  /// The path of the dashboard, without a slash at its end.
  package let base: String
  /// The navigation.
  package var links: [Link]
  /// Who looks; nil if no credential is needed.
  package var user: String?
  /// Whether the visitor may change anything.
  package var mayChange: Bool
  /// The seconds between refreshes of the page's live parts; nil for none.
  package var refresh: Int?
  /// The message at the top; nil for none.
  package var message: Message?
  /// The time at which the page was made.
  package var now: PageTime
  /// A line at the end: the store, the version.
  package var footer: String
  /// The words that templates explain where they stand, by their ids; none if the dashboard explains none.
  package var words: [String: Word] = [:]
  /// The path of the page that explains the words; nil for none.
  package var wordsHref: String?
  /// The path of the style sheet, which changes with its content.
  let style: String
  /// The path of the script.
  let script: String
  /// The path of the icon.
  let icon: String

  /// Creates the values of a layout.
  ///
  /// - Parameters:
  ///   - product: the name of the dashboard.
  ///   - title: the title of the page.
  ///   - base: the path of the dashboard.
  ///   - links: the navigation.
  ///   - now: the time at which the page was made.
  package init(product: String, title: String, base: String, links: [Link], now: Timestamp) {
    (self.product, self.title, self.base, self.links) = (product, title, base, links)
    self.now = PageTime(now, now: now)
    // Templates see stored properties only.
    style = PageAssets.style.path(under: base)
    script = PageAssets.script.path(under: base)
    icon = PageAssets.icon.path(under: base)
    mayChange = false
    footer = ""
  }
}
#endif
