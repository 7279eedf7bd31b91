"""How Sphinx makes the site of the course: `make site` first puts the lessons beside this file."""

from __future__ import annotations

from typing import Any

import latex2mathml.converter
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode
from sphinx.writers.html5 import HTML5Translator

import songnet_utils

project = "SongNet, the course"
author = "The SongNet authors"
copyright = "The SongNet authors. The code is under the MIT licence, the lessons under CC BY 4.0"
version = release = songnet_utils.__version__
language = "en"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon"]
exclude_patterns = ["generated/*"]
templates_path = ["_templates"]

# The lessons come as they ran, and with words in the place of what needs a kernel.
nb_execution_mode = "off"
nb_ipywidgets_js: dict[str, Any] = {}
myst_enable_extensions = ["amsmath", "colon_fence", "dollarmath"]
myst_heading_anchors = 3
# Formulas are MathML, which browsers draw without a script (`setup`).
myst_update_mathjax = False
html_math_renderer = "mathml"

# In docstrings, single backticks hold names.
default_role = "py:obj"
autosummary_generate = True
autodoc_default_options = {
    "members": True,
    # What a package only passes on is described where it is made (`_lead_to_names`).
    "ignore-module-all": True,
    # scikit-learn adds it to what stands on its classes; its docstring needs scikit-learn's pages.
    "exclude-members": "set_score_request",
}
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_typehints_format = "short"
napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "sphinx_book_theme"
html_title = project
html_favicon = "_static/note.svg"
html_static_path = ["_static"]
html_extra_path = ["extra"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_copy_source = False
# The API reference lists the modules itself.
html_domain_indices = False
html_show_sourcelink = False
html_context = {"default_mode": "auto"}
html_theme_options = {
    "home_page_in_toc": True,
    # The hundred modules are listed on pages of their own.
    "max_navbar_depth": 1,
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
}


def setup(app: Sphinx) -> None:
    """Add what Sphinx and MyST-NB do otherwise."""
    app.add_html_math_renderer("mathml", (_formula, None), (_formula, None))
    app.connect("autodoc-process-docstring", _lead_to_names)
    # Before napoleon's own.
    app.connect("autodoc-process-docstring", _no_types, priority=400)
    app.connect("doctree-read", _no_guesses)
    app.connect("missing-reference", _only_class)


def _formula(page: HTML5Translator, node: nodes.math | nodes.math_block) -> None:
    display = "block" if isinstance(node, nodes.math_block) else "inline"
    formula = latex2mathml.converter.convert(node.astext().strip(), display=display)
    # latex2mathml leaves the backslash of an underscore inside a text where it is.
    formula = formula.replace(r"\_", "_")
    # A wide one can be moved with a finger or a key.
    page.body.append(
        f'<div class="formula" tabindex="0" role="group" aria-label="Formula">{formula}</div>'
        if display == "block"
        else formula
    )
    raise nodes.SkipNode


def _lead_to_names(
    app: Sphinx, what: str, name: str, module: Any, options: Any, lines: list[str]
) -> None:
    """Let a package's page lead to the names it passes on, each described where it is made."""
    if what != "module" or not hasattr(module, "__all__"):
        return
    offered = {short: getattr(module, short) for short in module.__all__}
    links = [
        f":py:obj:`{short} <{its.__module__}.{its.__qualname__}>`"
        if hasattr(its, "__qualname__")
        else f"``{short}``"
        for short, its in offered.items()
    ]
    lines += ["", f"``from {name} import`` …", "", "   " + ", ".join(links)]


def _no_types(
    app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]
) -> None:
    """Keep napoleon from taking what stands before a colon for a constant's type."""
    if what in {"attribute", "data", "property"}:
        lines.insert(0, "")


def _no_guesses(app: Sphinx, page: nodes.document) -> None:
    """Let types be found by their whole names: for `bytes` Sphinx would take any attribute."""
    for link in page.findall(pending_xref):
        if link["refdomain"] == "py":
            link.attributes.pop("refspecific", None)


def _only_class(
    app: Sphinx, env: BuildEnvironment, link: pending_xref, content: nodes.Element
) -> nodes.reference | None:
    """Find a class by its name alone, where there is only one that is called so."""
    name = link["reftarget"]
    if link["refdomain"] != "py" or not name[:1].isupper():
        return None
    objects = env.domains.python_domain.objects
    found = [whole for whole in objects if whole.endswith(f".{name}")]
    if len(found) != 1:
        return None
    there = objects[found[0]]
    return make_refnode(
        app.builder, link["refdoc"], there.docname, there.node_id, content, found[0]
    )
