#if Server
import CloudJobsCore
import Mustache

/// The templates of a dashboard's pages, in Mustache, together with those that all pages share.
///
/// Every value is escaped in one place, ``PageText/escaped(_:)``: templates can't print text as it is, because
/// `{{{…}}}` and `{{&…}}` are rejected. A view is a structure whose stored properties the template names; optional
/// properties and Booleans are its sections. A name that a view lacks, or whose value is nil, is looked up in the
/// enclosing views, and prints nothing if none has it.
package struct PageTemplates: Sendable {
  private let library: MustacheLibrary

  /// Creates the templates.
  ///
  /// - Parameter sources: the text of each template in UTF-8, by its name; part of the program, so that an invalid one
  ///   ends the process.
  package init(_ sources: [String: [UInt8]]) {
    MustacheContentTypes.register(PageText(), named: PageText.name)
    var templates: [String: MustacheTemplate] = [:]
    for (name, source) in Self.shared.merging(sources, uniquingKeysWith: { _, own in own }) {
      let text = String(decoding: source, as: UTF8.self)
      precondition(!text.contains("{{{") && !text.contains("{{&"), "The template \(name) prints a value unescaped.")
      do {
        templates[name] = try MustacheTemplate(string: "{{% CONTENT_TYPE:\(PageText.name)}}" + text)
      } catch {
        preconditionFailure("The template \(name) is invalid: \(error)")
      }
    }
    library = MustacheLibrary(templates: templates)
  }

  /// Renders a page.
  ///
  /// - Parameters:
  ///   - view: the values of the page.
  ///   - name: the name of its template.
  ///   - shell: the values of the layout around it, which templates know as `shell`.
  /// - Returns: HTML in UTF-8.
  package func render(_ view: some Sendable, as name: String, in shell: PageShell) -> [UInt8] {
    guard let text = library.render(Layers(shell: shell, page: view), withTemplate: name) else {
      preconditionFailure("There is no template \(name).")
    }
    return Array(text.utf8)
  }

  /// What a template sees at its outermost level: the layout's values as `shell`, the page's as `page`.
  private struct Layers<View: Sendable>: Sendable {
    var shell: PageShell
    var page: View
  }

  private static var shared: [String: [UInt8]] {
    [
      "layout": PackageResources.layout_mustache, "time": PackageResources.time_mustache,
      "pager": PackageResources.pager_mustache, "timeline": PackageResources.timeline_mustache,
      "message": PackageResources.message_mustache, "word": PackageResources.word_mustache,
    ]
  }
}

/// The only place where text becomes HTML.
package struct PageText: MustacheContentType {
  static let name = "PAGE"

  package func escapeText(_ text: String) -> String { Self.escaped(text) }

  /// Returns text for an element's content or an attribute in double quotes.
  ///
  /// It goes by Unicode scalars and not by characters, because a combining mark after a quotation mark makes another
  /// character of both, while HTML still ends the attribute there. Control characters, which HTML forbids, and the
  /// marks by which text changes the direction of its surroundings (<https://trojansource.codes>) are shown as symbols.
  package static func escaped(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result.append(contentsOf: "&amp;".unicodeScalars)
      case "<": result.append(contentsOf: "&lt;".unicodeScalars)
      case ">": result.append(contentsOf: "&gt;".unicodeScalars)
      case "\"": result.append(contentsOf: "&quot;".unicodeScalars)
      case "'": result.append(contentsOf: "&#39;".unicodeScalars)
      case "`": result.append(contentsOf: "&#96;".unicodeScalars)
      case "\t", "\n", "\r": result.append(scalar)
      case "\u{0}"..."\u{1F}": result.append(Unicode.Scalar(UInt8(scalar.value)).picture)
      case "\u{7F}": result.append("\u{2421}")
      case "\u{80}"..."\u{9F}", "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}", "\u{200E}", "\u{200F}", "\u{61C}",
        "\u{FEFF}":
        result.append("\u{FFFD}")
      default: result.append(scalar)
      }
    }
    return String(result)
  }
}

extension Unicode.Scalar {
  /// The picture of a control character from U+0000 to U+001F.
  fileprivate var picture: Unicode.Scalar { Unicode.Scalar(0x2400 + value) ?? "\u{FFFD}" }
}
#endif
