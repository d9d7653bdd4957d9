"""How the weights of a run move: the network's, the same on all processes, and the prototypes',
each process its own.

One norm over all gradients clips them and decides whether a step is taken. With sampled classes
only their prototypes move, with their own momentum, as if the others did not exist (An et al.,
Partial FC, CVPR 2022). It knows names and tensors, no faces.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from facevis.fullscale import ranks
from facevis.fullscale.config_parts import OptimizerConfig
from facevis.fullscale.prototypes import ShardedObjective

_STEPS_TO_GROW = 2000


class LossScale:
    """The factor that keeps float16 gradients from vanishing; 1 and fixed in other precisions.

    It halves when a gradient overflows, and that step is left out; it doubles after 2,000 good ones
    (Micikevicius et al., Mixed Precision Training, ICLR 2018.)
    """

    def __init__(self, active: bool) -> None:
        self.active, self.value, self.good = active, 2.0**16 if active else 1.0, 0

    def after(self, finite: bool) -> None:
        """Follow whether the last gradient was finite."""
        if not self.active:
            return
        self.good = self.good + 1 if finite else 0
        if not finite:
            self.value = max(self.value / 2.0, 1.0)
        elif self.good % _STEPS_TO_GROW == 0:
            self.value = min(self.value * 2.0, 2.0**24)


class Optimizers:
    """The optimizer of the network and that of the prototypes, under one learning rate."""

    def __init__(
        self, config: OptimizerConfig, network: nn.Module, head: ShardedObjective | None
    ) -> None:
        self.config, self.head = config, head
        self.network = {n: p for n, p in network.named_parameters() if p.requires_grad}
        self._network = _made(config, self.network.values())
        self._head = None if head is None else _made(config, [head.weight])
        self._bias = _made(config, [head.bias]) if head and head.bias is not None else None

    def clear(self) -> None:
        """Forget all gradients."""
        for optimizer in (self._network, self._head, self._bias):
            if optimizer is not None:
                optimizer.zero_grad(set_to_none=True)
        if self.head is not None:
            self.head.active.grad = None

    def norm(self, scale: float) -> float:
        """The length of the gradient over all weights and processes; the loss was ``scale``d."""
        own = [p.grad for p in self.network.values() if p.grad is not None]
        total = _squares(own)
        if self.head is not None:
            parts = [p.grad for p in (self.head.active, self.head.bias) if p is not None]
            total = total + ranks.add(_squares([g for g in parts if g is not None]).to(total))
        return math.sqrt(float(total)) / scale

    def step(self, learning_rate: float, norm: float, scale: float) -> None:
        """Move all weights, the gradient cut to its longest."""
        factor = 1.0 / scale
        if self.config.clip and norm > self.config.clip:
            factor *= self.config.clip / norm
        if factor != 1.0:
            heads = [] if self.head is None else [self.head.active, self.head.bias]
            for parameter in [*self.network.values(), *heads]:
                if parameter is not None and parameter.grad is not None:
                    parameter.grad.mul_(factor)
        for optimizer in (self._network, self._head, self._bias):
            if optimizer is not None:
                for group in optimizer.param_groups:
                    group["lr"] = learning_rate
        self._network.step()
        if self._bias is not None:
            self._bias.step()
        self._step_head()

    def _step_head(self) -> None:
        if self.head is None or self._head is None:
            return
        rows = self.head.taken_rows()
        if rows is None:
            self._head.step()
            return
        # The chosen prototypes and what the optimizer knows of them move on their own, then return.
        whole, active = self.head.weight, self.head.active
        kept = self._head.state[whole]
        part = {k: v[rows] if v.shape == whole.shape else v for k, v in kept.items()}
        self._head.param_groups[0]["params"] = [active]
        self._head.state = type(self._head.state)(dict)
        self._head.state[active] = part
        self._head.step()
        with torch.no_grad():
            whole[rows] = active
            for name, value in self._head.state[active].items():
                if value.shape == active.shape:
                    kept.setdefault(name, torch.zeros_like(whole))[rows] = value
                else:
                    kept[name] = value
        self._head.param_groups[0]["params"] = [whole]
        self._head.state = type(self._head.state)(dict)
        self._head.state[whole] = kept

    def remembers(self) -> set[str]:
        """The names of what is remembered of each weight, once it has moved."""
        if self.config.name == "adamw":
            return {"exp_avg", "exp_avg_sq", "step"}
        return {"momentum_buffer"} if self.config.momentum else set()

    # -- kept -------------------------------------------------------------------------------------

    def states(self) -> Iterator[tuple[str, Tensor, bool]]:
        """(name, tensor, whether each process has its own rows of it) of all that is remembered."""
        for name, parameter in self.network.items():
            for kind, value in sorted(self._network.state.get(parameter, {}).items()):
                if value is not None:
                    yield f"optimizer.network.{name}:{kind}", value, False
        for name, parameter, optimizer in self._heads():
            for kind, value in sorted(optimizer.state.get(parameter, {}).items()):
                if value is not None:
                    own = value.shape == parameter.shape
                    yield f"optimizer.head.{name}:{kind}", value, own

    def restore(self, states: dict[str, Tensor]) -> None:
        """Take what ``states`` gave."""
        for name, parameter in self.network.items():
            found = _kinds(states, f"optimizer.network.{name}:")
            if found:
                self._network.state[parameter] = found
        for name, parameter, optimizer in self._heads():
            found = _kinds(states, f"optimizer.head.{name}:")
            if found:
                optimizer.state[parameter] = found

    def _heads(self) -> Iterator[tuple[str, nn.Parameter, torch.optim.Optimizer]]:
        if self.head is not None and self._head is not None:
            yield "weight", self.head.weight, self._head
            if self.head.bias is not None and self._bias is not None:
                yield "bias", self.head.bias, self._bias


def _kinds(states: dict[str, Tensor], before: str) -> dict[str, Tensor]:
    return {n.removeprefix(before): v for n, v in states.items() if n.startswith(before)}


def _made(
    config: OptimizerConfig, parameters: Iterable[nn.Parameter | None]
) -> torch.optim.Optimizer:
    listed = [p for p in parameters if p is not None]
    rate, decay = config.learning_rate, config.weight_decay
    if config.name == "sgd":
        return torch.optim.SGD(listed, rate, momentum=config.momentum, weight_decay=decay)
    # What has one dimension (norms, biases) is not drawn to zero, as is usual with AdamW.
    groups: list[dict[str, Any]] = [
        {"params": [p for p in listed if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in listed if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], rate)


def _squares(gradients: list[Tensor]) -> Tensor:
    if not gradients:
        return torch.zeros(())
    lengths = torch._foreach_norm(gradients)
    return torch.stack(lengths).double().square().sum()
