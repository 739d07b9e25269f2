"""Runs in the virtual environment of the package `ctgan`: learn a CSV file, write another, print the CPU seconds."""

from __future__ import annotations

import sys
import time
from typing import Any


def main() -> None:
    """`package.py SOURCE MADE CATEGORIES EPOCHS BATCH SEED`."""
    import numpy as np
    import pandas as pd
    import torch
    from ctgan import CTGAN

    source, made, categories, epochs, batch, seed = sys.argv[1:]
    torch.set_num_threads(1)
    torch.manual_seed(int(seed))
    np.random.seed(int(seed))
    named = [name for name in categories.split(",") if name]
    rows: Any = pd.read_csv(source, dtype=dict.fromkeys(named, str))
    began = time.process_time()
    model = CTGAN(epochs=int(epochs), batch_size=int(batch), cuda=False)
    model.fit(rows, named)
    model.sample(len(rows)).to_csv(made, index=False)
    print(time.process_time() - began)


if __name__ == "__main__":
    main()
