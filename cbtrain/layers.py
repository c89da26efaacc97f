"""Which decoder layers the breaker reroutes, by the depth of the model.

Layers are counted as 0-based decoder layers and mean the *output* of that layer, which is `hidden_states[i + 1]` of
transformers. The paper reroutes `hidden_states[10]` and `[20]` of 32-layer models: the outputs of layers 9 and 19.
"""

TABLE: dict[int, tuple[int, int]] = {12: (3, 7), 24: (7, 14), 32: (9, 19), 40: (12, 24), 80: (24, 49)}
"""Decoder layers -> (shallow, deep) target. 32 is the paper's; the rest keep its relative depth, 10/32 and 20/32."""


def default_targets(num_layers: int) -> tuple[int, int]:
    """Targets for a decoder of `num_layers` layers: the table, or linear interpolation between its rows.

    Below the first and above the last row the relative depth of that row is kept.

    Raises:
        ValueError: Fewer than 2 layers: there are no two different layers to reroute.
    """
    if num_layers < 2:
        raise ValueError(f"a decoder of {num_layers} layer(s) has no two layers to reroute")
    depths = sorted(TABLE)
    if num_layers <= depths[0] or num_layers >= depths[-1]:
        row = depths[0] if num_layers <= depths[0] else depths[-1]
        shallow, deep = (round((t + 1) * num_layers / row) - 1 for t in TABLE[row])
    else:
        above = next(d for d in depths if d >= num_layers)
        below = max(d for d in depths if d <= num_layers)
        share = 0.0 if above == below else (num_layers - below) / (above - below)
        shallow, deep = (round(a + share * (b - a)) for a, b in zip(TABLE[below], TABLE[above], strict=True))
    shallow = max(shallow, 0)
    return shallow, max(deep, shallow + 1)
