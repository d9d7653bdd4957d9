"""One process' part of a run: what a step is, the same on one process and on many.

It opens data, network, objective and the last checkpoint, and takes steps until the end or until it
is told to stop. What is measured, written and kept lies in the modules it calls; the process around
it (signals, locks, exit codes) is ``train``.
"""

from __future__ import annotations

import contextlib
import math
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from facevis.corpora.opening import open_corpus
from facevis.fullscale import checkpoint, networks, precision, ranks, runs
from facevis.fullscale.batches import BalancedOrder, Batch, Order, Plan, read_ahead
from facevis.fullscale.batchnorm import share_batch_norm
from facevis.fullscale.config import FullScaleConfig
from facevis.fullscale.diagnosis import NotFinite, diagnose
from facevis.fullscale.faults import machine_faults
from facevis.fullscale.following import Following
from facevis.fullscale.heads import build_objective
from facevis.fullscale.keeping import Keeping
from facevis.fullscale.optimizers import LossScale, Optimizers
from facevis.fullscale.pixels import as_tensor
from facevis.fullscale.prototypes import ShardedObjective
from facevis.fullscale.schedules import learning_rate, margin_share
from facevis.margins import Margin
from facevis.models.backbones import load_backbone

_MOST_NAMED = 256
"""Damaged pictures of a step that processes tell each other of."""


class Training:
    """One process' part of a run."""

    def __init__(self, folder: Path, config: FullScaleConfig, device: torch.device) -> None:
        config.check(ranks.world())
        self.folder, self.config, self.device = folder, config, device
        self.corpus = open_corpus(config.data.train, cache=folder / "cache")
        if self.corpus.num_classes < 2:
            raise ValueError(
                f"{self.corpus.name} has pictures of one identity only; give data.train others too."
            )
        self.order = self._order()
        torch.manual_seed(config.seed)
        self.network = networks.build_network(config)
        if config.backbone.weights and not checkpoint.steps(folder / runs.CHECKPOINTS):
            load_backbone(self.network, Path(config.backbone.weights))
        if config.sync_batch_norm:
            share_batch_norm(self.network, device.type)
        layout = torch.channels_last if config.channels_last else torch.contiguous_format
        self.network.to(device, memory_format=layout)  # type: ignore[call-overload]
        self.objective = build_objective(
            config.head, self.corpus.num_classes, config.backbone.embedding_dim, config.seed
        ).to(device)
        self.dtype = precision.of_weights(config.precision)
        for part in (self.network, self.objective):
            part.to(self.dtype)
        head = self.objective if isinstance(self.objective, ShardedObjective) else None
        self.head, self.optimizers = head, Optimizers(config.optimizer, self.network, head)
        self.loss_scale = LossScale(config.precision == "float16")
        self.damaged: dict[int, str] = {}
        self.keeping = Keeping(self)
        self.first = self.keeping.restore()
        self.trained = self._spread()
        self._launcher = os.getppid()
        self.asked_to_stop = False  # this process; a signal may come at any moment
        self.stopping = False  # all of them, after the step that is going on

    def _order(self) -> Order | BalancedOrder:
        data, seed = self.config.data, self.config.seed
        if data.identities_per_batch:
            return BalancedOrder(
                self.corpus.labels, data.identities_per_batch, data.images_per_identity, seed
            )
        return Order(len(self.corpus), self.config.batch_size, seed)

    def _spread(self) -> nn.Module:
        """The network as it is called while training: compiled, its gradients averaged."""
        network = self.network
        if self.config.compile:
            network = cast(nn.Module, torch.compile(network))
        if ranks.world() == 1:
            return network
        devices = [self.device.index] if self.device.type == "cuda" else None
        # Convolutions of one channel have strides that can be read in two ways; that costs nothing.
        warnings.filterwarnings("ignore", message="Grad strides do not match bucket view strides")
        return DistributedDataParallel(network, device_ids=devices)

    def run(self) -> None:
        """Train to the end, or until told to stop."""
        steps = self.config.schedule.steps
        with Following(self) as following, machine_faults():
            following.begin()
            for step, parts in enumerate(self.batches(), self.first):
                following.after(step, self.step(step, parts))
                if following.due_checkpoint(step + 1) or self.stopping:
                    following.checkpoint(self.keeping, step + 1)
                if self.stopping and step + 1 < steps:
                    following.stopped(step + 1)
                    return
                following.evaluate_if_due(step + 1)
            following.finish(self.keeping)

    def batches(self) -> Iterator[list[Batch]]:
        """The parts of one step after the other, from the next to the last."""
        config, world = self.config, ranks.world()
        if config.data.workers or world > 1:
            self.corpus.prepare()
        plan = Plan(
            self.order,
            config.data.mirror,
            config.seed,
            self.first,
            config.schedule.steps,
            ranks.rank(),
            world,
            config.accumulate,
        )
        batches = read_ahead(
            self.corpus, config.data.size, plan, config.data.workers, self.device.type == "cuda"
        )
        self.network.train()
        for _ in range(self.first, config.schedule.steps):
            yield [next(batches) for _ in range(config.accumulate)]

    # -- a step -----------------------------------------------------------------------------------

    def step(self, step: int, parts: list[Batch]) -> dict[str, float]:
        """Forward, backward, guard, move; what was seen, over all processes."""
        config, head = self.config, self.head
        # Chance inside the network (dropout) follows from the step too.
        torch.manual_seed((config.seed * 1_000_003 + step) * 65_537 + ranks.rank())
        rate = learning_rate(step, config.optimizer.learning_rate, config.schedule)
        self.optimizers.clear()
        if head is not None:
            self._ease_margin(step)
            head.choose(torch.cat([part.labels for part in parts]).to(self.device), step)
        seen = torch.zeros(4, dtype=torch.float64)
        embeddings: list[Tensor] = []
        new: dict[int, str] = {}
        for number, part in enumerate(parts):
            with self._local_unless(number == len(parts) - 1):
                points, loss = self._forward(part)
                (loss * (self.loss_scale.value / len(parts))).backward()
            embeddings.append(points.detach())
            reading = None if head is None else head.reading
            angle = math.nan if reading is None else float(reading.angle.mean())
            seen[:2] += torch.tensor((float(loss.detach()), angle), dtype=torch.float64) / len(
                parts
            )
            new |= part.damaged
        seen[2], seen[3] = float(self.asked_to_stop or self._alone()), float(len(new))
        totals = ranks.add(seen.to(self._sums_on())).tolist()
        loss, angle = totals[0] / ranks.world(), totals[1] / ranks.world()
        self.stopping = totals[2] > 0
        if totals[3]:
            self._count_damaged(new)
        norm = self.optimizers.norm(self.loss_scale.value)
        finite = math.isfinite(norm) and math.isfinite(loss)
        if finite:
            self.optimizers.step(rate, norm, self.loss_scale.value)
        elif not self._may_overflow(loss):
            raise NotFinite(self._diagnosis(step, parts, embeddings, loss, norm, rate))
        self.loss_scale.after(finite)
        return {
            "loss": loss,
            "learning_rate": rate,
            "gradient_norm": norm,
            "angle_deg": math.degrees(angle),
            "epoch": (step + 1) / self.order.steps_per_epoch,
        }

    def _forward(self, part: Batch) -> tuple[Tensor, Tensor]:
        pictures = as_tensor(part.pictures, self.device, self.dtype)
        if self.config.channels_last:
            pictures = pictures.contiguous(memory_format=torch.channels_last)
        with precision.autocast(self.device.type, self.config.precision):
            embeddings = self.trained(pictures)
        labels = part.labels.to(self.device, non_blocking=True)
        return embeddings, self.objective(embeddings, labels)

    def _alone(self) -> bool:
        """Whether the launcher of this process is gone, and nobody would end it."""
        return "TORCHELASTIC_RUN_ID" in os.environ and os.getppid() != self._launcher

    def _ease_margin(self, step: int) -> None:
        config, head = self.config, self.head
        if config.schedule.margin_warmup and head is not None and head.rule is not None:
            full = Margin(config.head.m1, config.head.m2, config.head.m3)
            head.rule.margin = full.scaled(margin_share(step, config.schedule))

    def _local_unless(self, last: bool) -> contextlib.AbstractContextManager[None]:
        """Gradients are averaged over processes with the last part only."""
        if last or not isinstance(self.trained, DistributedDataParallel):
            return contextlib.nullcontext()
        return self.trained.no_sync()

    def _sums_on(self) -> torch.device:
        return self.device if self.device.type == "cuda" else torch.device("cpu")

    # -- guards -----------------------------------------------------------------------------------

    def _may_overflow(self, loss: float) -> bool:
        """float16 gradients may overflow while their scale is found."""
        return self.loss_scale.active and self.loss_scale.value > 1.0 and math.isfinite(loss)

    def _count_damaged(self, new: dict[int, str]) -> None:
        """Damaged pictures over all processes, each once; too many end the run."""
        listed = torch.full((_MOST_NAMED,), -1, dtype=torch.int64)
        found = torch.tensor(list(new)[:_MOST_NAMED], dtype=torch.int64)
        listed[: len(found)] = found
        for index in ranks.gather(listed.to(self._sums_on())).tolist():
            if index >= 0 and index not in self.damaged:
                self.damaged[index] = new.get(index) or self.corpus.place(index)
        most = self.config.data.most_damaged
        if len(self.damaged) > most:
            raise ValueError(
                f"{len(self.damaged)} pictures are damaged, more than data.most_damaged ({most}); "
                "mend the data (facevis data inspect) or raise that number. The first: "
                f"{next(iter(self.damaged.values()))}"
            )

    def _diagnosis(
        self,
        step: int,
        parts: list[Batch],
        embeddings: list[Tensor],
        loss: float,
        norm: float,
        rate: float,
    ) -> str:
        points = torch.cat(embeddings).float()
        prototypes = None if self.head is None else self.head.weight
        return diagnose(
            step=step,
            taken=step - self.first,
            loss=loss,
            embeddings_finite=bool(torch.isfinite(points).all()),
            largest_embedding=float(points.nan_to_num(0.0).norm(dim=1).max()),
            weights_finite=all(bool(torch.isfinite(p).all()) for p in self.network.parameters()),
            prototypes_finite=prototypes is None or bool(torch.isfinite(prototypes).all()),
            gradient_norm=norm,
            learning_rate=rate,
            precision=self.config.precision,
            scale=self.config.head.scale,
            places=[self.corpus.place(int(i)) for part in parts for i in part.indices],
        )
