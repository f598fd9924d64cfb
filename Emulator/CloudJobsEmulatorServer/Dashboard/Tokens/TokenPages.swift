#if Server
import CloudJobsCore
import CloudJobsEmulator
import CloudJobsEmulatorWire
import CloudJobsPages
import HTTPTypes

/// The emulator's identity as the dashboard needs it.
struct DashboardTokens: Sendable {
  /// A token that a delivery carried.
  struct Issued: Sendable {
    /// The time.
    var time: Timestamp
    /// The URL of the delivery.
    var url: String
    /// The claims; for an OAuth token, the account alone.
    var claims: JSONValue
  }

  /// The issuer of tokens.
  var issuer: @Sendable () -> String
  /// Returns a token for an audience and an e-mail address, valid from a time; nil if signing fails.
  var mint: @Sendable (_ audience: String, _ email: String, _ time: Timestamp) -> String?
  /// The latest tokens of deliveries, newest first.
  var issued: @Sendable () -> [Issued]
}

/// The page of the tokens of deliveries.
struct TokenPages: EmulatorPages {
  private let context: EmulatorPageContext

  init(_ context: EmulatorPageContext) { self.context = context }

  func respond(to request: DashboardRequest) async throws(PageFault) -> PageResponse? {
    guard request.path.count == 1 else { return nil }
    guard let tokens = context.tokens else {
      throw PageFault(.notFound, "This emulator was built without tokens. Build it with the trait Google.")
    }
    var view = TokensView(issuer: tokens.issuer(), origin: context.origin)
    view.keys = text(of: ["oauth2", "v3", "certs"])
    view.discovery = text(of: [".well-known", "openid-configuration"])
    view.issued = tokens.issued().enumerated().map { index, issued in
      TokensView.Row(
        issuedNumber: index + 1,
        issuedAt: PageTime(issued.time, now: context.clock.machineTime),
        issuedURL: BoundedText.cut(issued.url, to: 160),
        issuedClaims: BoundedText.cut(PrettyJSON.text(issued.claims, limit: 1_500), to: 1_500))
    }
    guard !request.isReading else { return context.page(view, "tokens", title: "Tokens") }
    view.audience = (request.form["audience"] ?? "").trimmingSpaces
    view.email = (request.form["email"] ?? "").trimmingSpaces
    view.usesEmulatorTime = request.form["time"] == "emulator"
    guard !view.audience.isEmpty, !view.email.isEmpty, view.audience.utf8.count <= 2_048, view.email.utf8.count <= 320
    else {
      view.problem = "Give the audience, such as the URL of a service, and the e-mail address of an account."
      return context.page(view, "tokens", title: "Tokens", status: .badRequest)
    }
    let time = view.usesEmulatorTime ? context.now : context.clock.machineTime
    guard let token = tokens.mint(view.audience, view.email, time) else {
      throw PageFault(.internalServerError, "The token could not be signed. Start the emulator again.")
    }
    view.token = token
    view.claims = TokensView.claims(of: token)
    return context.page(view, "tokens", title: "Tokens")
  }

  private func text(of path: [String]) -> String {
    context.api.document(path).map { PrettyJSON.text($0.body, limit: 8_000) } ?? ""
  }
}

/// The values of the page of tokens.
struct TokensView: Sendable {
  /// A token of a delivery.
  struct Row: Sendable {
    /// The number in the list, from 1.
    var issuedNumber: Int
    /// The time.
    var issuedAt: PageTime
    /// The URL of the delivery.
    var issuedURL: String
    /// The claims.
    var issuedClaims: String
  }

  /// The issuer.
  var issuer: String
  /// The address of the key.
  var keysURL: String
  /// The address of the discovery document.
  var discoveryURL: String
  /// The key.
  var keys = ""
  /// The discovery document.
  var discovery = ""
  /// The audience of the form.
  var audience = ""
  /// The e-mail address of the form.
  var email = "tester@local.iam.gserviceaccount.com"
  /// Whether the token is valid by the emulator's time, rather than by the machine's.
  var usesEmulatorTime = false
  /// Why the form was refused; nil if it was not.
  var problem: String?
  /// The token that was made; nil for none.
  var token: String?
  /// Its claims.
  var claims = ""
  /// The latest tokens of deliveries.
  var issued: [Row] = []

  /// Creates the values of an issuer.
  init(issuer: String, origin: String) {
    self.issuer = issuer
    keysURL = "\(origin)/oauth2/v3/certs"
    discoveryURL = "\(origin)/.well-known/openid-configuration"
  }

  /// Returns the claims of a token; empty for a text that is none.
  static func claims(of token: String) -> String {
    let parts = token.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3, let bytes = Base64URL.decode(parts[1].utf8),
      let value = try? JSONValue(parsing: bytes, limits: .service)
    else { return "" }
    return PrettyJSON.text(value, limit: 4_000)
  }
}
#endif
