"""Our methods against the package `ctgan`, on tables of scikit-learn."""
