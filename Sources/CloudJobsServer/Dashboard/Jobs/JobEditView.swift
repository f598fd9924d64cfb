#if Server
import CloudJobs
import CloudJobsCore
import CloudJobsPages

/// The values of the form of a job's document.
struct JobEditView: Sendable {
  /// A part of the form.
  struct Part: Sendable {
    /// The id of its element.
    var partID: String
    /// The title.
    var partTitle: String
    /// Whether it can be folded.
    var isFoldable: Bool
    /// Whether it is unfolded at first: it has a value that is not the code's, or a refused one.
    var isOpen: Bool
    /// The labels of its fields, for the line that is seen while it is folded.
    var partLabels: String
    /// The fields.
    var fields: [Field]
  }

  /// A field of the form.
  struct Field: Sendable {
    /// The name.
    var name: String
    /// The label.
    var label: String
    /// The text.
    var text: String
    /// What to write.
    var hint: String
    /// The explanation of the label; nil for none.
    var fieldWord: PageShell.Word?
    /// The value in code; nil if it is not known.
    var code: String?
    /// The choices; nil for a text.
    var choices: [PageChoice]?
    /// Whether the text has several lines.
    var isArea: Bool
    /// Whether the text is one line.
    var isLine: Bool
    /// Whether the keyboard is one of digits.
    var isNumber: Bool
    /// Why the change was refused; nil if it was not, or not for this field.
    var refusal: String?
    /// Whether the present value is confidential and not shown.
    var isHidden: Bool
  }

  var job: String
  var parts: [Part]
  var version: String
  var refusalText: String?
  var isElsewhere: Bool
  var action: String
  var back: String

  /// Makes the form: pure.
  ///
  /// - Parameters:
  ///   - listing: the job.
  ///   - draft: what the fields show.
  ///   - hidesInput: whether the document's input is confidential.
  ///   - hidesCodeInput: whether the code's input is confidential.
  ///   - refusal: why the change was refused; nil at first.
  ///   - context: the paths of the page.
  init(
    _ listing: JobListing, _ draft: JobDraft, hidesInput: Bool, hidesCodeInput: Bool, refusal: JobError? = nil,
    _ context: DashboardContext
  ) {
    job = listing.id
    isElsewhere = !listing.isRegistered
    version = draft.version
    let field = refusal?.field.map { String($0.prefix { $0 != "." }) }
    let isKnown = field.map { name in JobField.all.contains { $0.name == name } } ?? false
    refusalText = refusal.map { error in
      isKnown ? "The change was refused: see \(error.field ?? "")." : "The change was refused. \(error.message)"
    }
    let code = listing.definition.map { JobConfiguration(saying: $0).fields.object ?? [:] }
    parts = JobField.parts.enumerated().map { index, part in
      var isOpen = false
      let fields = part.fields.map { item in
        let text = draft.texts[item.name] ?? ""
        let isHidden = item.name == "input" && hidesInput
        let own = code.map { code in code[item.name].map { item.text(of: $0) } ?? "" }
        let shown = item.name == "input" && hidesCodeInput ? "confidential" : own.map { $0.isEmpty ? "none" : $0 }
        if field == item.name || isHidden || (!text.isEmpty && text != own) { isOpen = true }
        return Field(
          name: item.name, label: item.label, text: text, hint: item.hint,
          fieldWord: context.word(labelled: item.label),
          code: shown.map { Self.brief($0) }, choices: Self.choices(item, text),
          isArea: Self.isArea(item), isLine: Self.isLine(item), isNumber: item.form == .number,
          refusal: field == item.name ? refusal.map { Self.explained($0) } : nil, isHidden: isHidden)
      }
      return Part(
        partID: "part-\(index)", partTitle: part.title, isFoldable: part.isFoldable, isOpen: isOpen,
        partLabels: part.fields.map(\.label).joined(separator: ", "), fields: fields)
    }
    let base = context.link("jobs", listing.id)
    (action, back) = (base.appending("edit").href, base.href)
  }

  private static func explained(_ error: JobError) -> String {
    guard let field = error.field, field.contains(".") else { return error.message }
    return "\(field): \(error.message)"
  }

  private static func brief(_ text: String) -> String {
    BoundedText.cut(text.split(separator: "\n").joined(separator: " "), to: 120)
  }

  private static func choices(_ field: JobField, _ text: String) -> [PageChoice]? {
    switch field.form {
    case .choice(let all): all.map { PageChoice($0, isChosen: $0 == text) }
    case .truth: [("true", "yes"), ("false", "no")].map { PageChoice($0, $1, isChosen: $0 == text) }
    case .line, .number, .span, .lines, .spanOrJSON, .json: nil
    }
  }

  private static func isArea(_ field: JobField) -> Bool { field.form == .lines || field.form == .json }

  private static func isLine(_ field: JobField) -> Bool { !isArea(field) && choices(field, "") == nil }
}
#endif
