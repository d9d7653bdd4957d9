"""What the processes of the tests of the sharded head do; ``gloo.together`` starts them."""

import torch

from facevis.adaptive import AdaFace, CurricularFace, FixedMargin, MagFace
from facevis.fullscale import ranks
from facevis.fullscale.prototypes import ShardedObjective
from facevis.margins import Margin

CLASSES, DIM, BATCH = 37, 16, 12

CASES = {
    "normalised softmax": (lambda: FixedMargin(), {}),
    "arcface": (lambda: FixedMargin(Margin.arcface(0.5)), {}),
    "combined": (lambda: FixedMargin(Margin(0.9, 0.4, 0.15)), {}),
    "detached": (lambda: FixedMargin(Margin.arcface(0.5), gradient="detached"), {}),
    "linear tail": (lambda: FixedMargin(Margin.arcface(0.5), tail="linear"), {}),
    "softmax": (lambda: None, {}),
    "adaface": (lambda: AdaFace(), {}),
    "magface": (lambda: MagFace(shortest=1.0, longest=8.0), {}),
    "curricularface": (lambda: CurricularFace(0.5), {}),
    "sub-centres": (lambda: FixedMargin(Margin.arcface(0.5)), {"sub_centers": 3}),
}


def material():
    """The same for everyone: embeddings, labels (one class twice) and prototypes of any length."""
    draw = torch.Generator().manual_seed(0)
    embeddings = 3.0 * torch.randn(BATCH, DIM, generator=draw, dtype=torch.float64)
    labels = torch.randint(CLASSES, (BATCH,), generator=draw)
    labels[1], labels[2] = labels[0], CLASSES - 1
    table = torch.randn(CLASSES * 3, DIM, generator=draw, dtype=torch.float64)
    return embeddings, labels, table


def objective(case, piece=5):
    rule, options = CASES[case]
    head = ShardedObjective(CLASSES, DIM, rule(), 16.0, piece=piece, **options).double()
    with torch.no_grad():
        k = head.sub_centers
        head.weight.copy_(material()[2][: CLASSES * k][head.rows.start * k : head.rows.stop * k])
        if head.bias is not None:
            head.bias.copy_(torch.linspace(-1, 1, CLASSES)[head.rows.start : head.rows.stop])
    return head


def step(case, dtype=torch.float64):
    """Loss of the whole batch, gradients of all embeddings and all prototypes, what rules keep."""
    head = objective(case).to(dtype)
    embeddings, labels, _ = material()
    own = ranks.own_part(embeddings).to(dtype).clone().requires_grad_()
    loss = head(own, ranks.own_part(labels))
    loss.backward()
    # DistributedDataParallel would take the mean over processes further down.
    gradient = ranks.gather(own.grad) / ranks.world()
    found = {"loss": ranks.add(loss.detach().clone()) / ranks.world(), "embeddings": gradient}
    wide = torch.zeros(CLASSES * head.sub_centers, DIM, dtype=dtype)
    k = head.sub_centers
    wide[head.rows.start * k : head.rows.stop * k] = head.weight.grad
    found["prototypes"] = ranks.add(wide)
    if head.bias is not None:
        bias = torch.zeros(CLASSES, dtype=dtype)
        bias[head.rows.start : head.rows.stop] = head.bias.grad
        found["bias"] = ranks.add(bias)
    if head.rule is not None:
        found |= head.rule.state_dict()
    return found


def all_cases(path):
    found = {case: step(case) for case in CASES}
    found["arcface in float32"] = step("arcface", torch.float32)
    if ranks.rank() == 0:
        torch.save(found, path)
