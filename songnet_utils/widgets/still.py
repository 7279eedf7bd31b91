"""Controls in a column that leave a still picture where there is no kernel to answer them."""

from __future__ import annotations

from typing import Any

import ipywidgets

from songnet_utils.plots import Picture


class WithStill(ipywidgets.VBox):
    """Controls in a column, with a picture for pages made from the notebook."""

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return {**super()._repr_mimebundle_(**options), "text/html": self._still_html()}

    def _still_html(self) -> str:
        """Return what such a page shows, as HTML."""
        return (
            f"{self._still()._repr_html_()}<p>This picture moves: run "
            "<code>make lab</code> and open this lesson.</p>"
        )

    def _still(self) -> Picture:
        """Return what the widget shows at the beginning, as one picture."""
        raise NotImplementedError
