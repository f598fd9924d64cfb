"""The guides as articles of a DocC catalog."""

import shutil

from markdown_pages import ROOT, Page, plain, read, substitute_links

CATALOG = ROOT / "Documentation" / "SwiftCloudJobs.docc"
# Pages outside Documentation/ that become articles, with the names of these.
OTHERS = {"CONTRIBUTING.md": "contributing", "SECURITY.md": "security-policy", "CHANGELOG.md": "changelog"}


def guides():
    """Returns the names of the articles with the pages that they are made of."""
    pages = [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "Documentation").glob("*.md"))]
    own = {page.rsplit("/", 1)[-1].removesuffix(".md").lower(): page for page in pages}
    del own["readme"]
    return {name: read(page) for name, page in own.items()} | {name: read(page) for page, name in OTHERS.items()}


def write_catalog(folder):
    """Writes a catalog that has the pages of the repository's own, and an article for each guide."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(CATALOG, folder)
    pages = guides()
    names = {page.path: name for name, page in pages.items()}
    for name, page in pages.items():
        (folder / f"{name}.md").write_text(_article(page, pages, names, folder))


def _article(page: Page, pages, names, folder):
    def replace_image(label, target):
        found = ROOT / resolved(page.path, target)
        if found.is_file():
            shutil.copy(found, folder / "Resources" / found.name)
        return f"[{label}]({found.name})"

    def replace(label, target):
        if "://" in target or target.startswith("mailto:"):
            return f"[{label}]({target})"
        path, _, anchor = target.partition("#")
        found = resolved(page.path, path) if path else page.path
        if found not in names:
            # Not on the site, such as a source file.
            return label if found in plain(label) else f"{label} (`{found}`)"
        reference = names[found]
        if anchor:
            reference += "#" + _fragment(pages[reference].anchors[anchor])
        return f"[{label}](doc:{reference})"

    # Prose and code alternate; only links of prose are links.
    lines = page.text.split("\n")
    prose = {line.number: line.text for line in page.prose}
    parts, current = [], []
    comment = False
    for number, line in enumerate(lines, 1):
        if number in prose:
            current.append(prose[number])
            continue
        comment = comment or (line.strip().startswith("<!--") and not _in_code(page, number))
        parts += [substitute_links("\n".join(current), replace, replace_image)] if current else []
        # A comment leaves its lines empty, so that faults are found at the page's own lines.
        parts.append("" if comment else line)
        current = []
        comment = comment and "-->" not in line
    if current:
        parts.append(substitute_links("\n".join(current), replace, replace_image))
    return "\n".join(parts)


def _in_code(page, number):
    return any(block.line <= number < block.line + block.text.count("\n") for block in page.blocks)


def resolved(page, target):
    """Returns the path of a link's target, relative to the repository."""
    folder = (ROOT / page).parent
    path = (folder / target).resolve()
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else target


def _fragment(heading):
    """Returns a heading's anchor as DocC makes it."""
    return "-".join(heading.replace("'", "").replace('"', "").split())
