"""What MLflow loads a model by: this file lies in the model's folder and reads what is beside it, without a pickle."""

from pathlib import Path

import mlflow
import pandas as pd
from mlflow.pyfunc import PythonModel, PythonModelContext

from cxcausal.tracking.model_folder import read_model
from cxcausal.tracking.predicting import Predictor


class Whom(PythonModel):  # type: ignore[misc] # MLflow is not typed
    """Whom to contact, and what that gains, one customer at a time."""

    def load_context(self, context: PythonModelContext) -> None:  # noqa: ARG002 - MLflow's signature
        """Read the model, and refuse it where a file is not the one that was written."""
        self._predictor = Predictor(read_model(Path(__file__).parent))

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002 - MLflow's signature
        model_input: pd.DataFrame,
        params: dict[str, object] | None = None,  # noqa: ARG002 - as above
    ) -> pd.DataFrame:
        """Return arm, expected effect, its interval and every arm's gain, in the order of the rows."""
        columns = {name: model_input[name].to_numpy() for name in self._predictor.names}
        return pd.DataFrame(self._predictor.predict(columns), index=model_input.index)


mlflow.models.set_model(Whom())
