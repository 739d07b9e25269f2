"""Fewer points that look the same: largest triangle three buckets.

Source: Sveinn Steinarsson, "Downsampling Time Series for Visual
Representation", University of Iceland, 2013. Points that are not finite
numbers are never dropped: a NaN is what the reader looks for.
"""

from __future__ import annotations

from collections.abc import Sequence

Point = tuple[int, float | str | None]


def downsample(points: Sequence[Point], limit: int) -> list[Point]:
    """At most about `limit` of the points, the first and the last included, in order.

    Args:
        points: (step, value), ascending by step.
        limit: At least 3; non-finite values come on top of it.
    """
    finite = [(step, value) for step, value in points if isinstance(value, int | float)]
    if len(finite) <= limit:
        return list(points)
    kept: list[Point] = [*_largest_triangles(finite, limit)]
    kept += [point for point in points if not isinstance(point[1], int | float)]
    return sorted(kept, key=lambda point: point[0])


def _largest_triangles(points: Sequence[tuple[int, float]], limit: int) -> list[tuple[int, float]]:
    width = (len(points) - 2) / (limit - 2)
    kept = [points[0]]
    for bucket in range(limit - 2):
        begin, end = 1 + int(bucket * width), 1 + int((bucket + 1) * width)
        following = points[end : 1 + int((bucket + 2) * width)] or points[-1:]
        mean_x = sum(x for x, _ in following) / len(following)
        mean_y = sum(y for _, y in following) / len(following)
        last_x, last_y = kept[-1]
        kept.append(
            max(
                points[begin:end],
                key=lambda p, x=last_x, y=last_y, mx=mean_x, my=mean_y: abs(  # type: ignore[misc]
                    (x - mx) * (p[1] - y) - (x - p[0]) * (my - y)
                ),
            )
        )
    kept.append(points[-1])
    return kept
