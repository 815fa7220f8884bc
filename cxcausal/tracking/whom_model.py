"""What MLflow loads a model by: `_load_pyfunc`, named in the model's folder, reads that folder without a pickle."""

from pathlib import Path
from typing import TYPE_CHECKING

from cxcausal.tracking.given_columns import columns_of
from cxcausal.tracking.model_folder import read_model
from cxcausal.tracking.predicting import Predictor

if TYPE_CHECKING:
    import pandas as pd


class Whom:
    """Whom to contact, and what that gains, one customer at a time."""

    def __init__(self, predictor: Predictor) -> None:
        """Hold a model that was read."""
        self._predictor = predictor

    def predict(self, model_input: "pd.DataFrame", params: dict[str, object] | None = None) -> "pd.DataFrame":  # noqa: ARG002 - MLflow's signature
        """Return arm, expected effect, its interval and every arm's gain, in the order of the rows.

        Raises:
            DataError: a modifier is not there, or its values are not of its kind; all problems at once.
        """
        import pandas as pd  # noqa: PLC0415 - heavy

        columns = columns_of(model_input, self._predictor.kinds)
        return pd.DataFrame(self._predictor.predict(columns), index=model_input.index)


def _load_pyfunc(path: str) -> Whom:
    """Return the model in a folder.

    Raises:
        IntegrityError: a file is not the one that was written.
    """
    return Whom(Predictor(read_model(Path(path))))
