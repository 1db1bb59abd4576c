"""The loss as a module, and the three loops of ``book/practice/use_it.md``, which really train."""

import re
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from kdlib.data import torchvision_import
from kdlib.drop_in import SoftTargetLoss, dev_mix
from kdlib.errors import SettingError
from kdlib.losses import adaptive_mix, soft_target_loss, teacher_probabilities

PAGE = Path(__file__).parents[1] / "book" / "practice" / "use_it.md"
CLASSES, FEATURES = 3, 6


def examples(size, seed):
    """Clusters that a linear network can part."""
    make = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, CLASSES, (size,), generator=make)
    inputs = torch.randn(size, FEATURES, generator=make)
    inputs[torch.arange(size), labels] += 4.0
    return inputs, labels


def loader(size=120, seed=0):
    return DataLoader(TensorDataset(*examples(size, seed)), batch_size=16)


def network(seed, hidden=8):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(FEATURES, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, CLASSES)
    )


@pytest.fixture(scope="module")
def teacher():
    found = network(0)
    optimizer = torch.optim.Adam(found.parameters(), lr=0.05)
    for _ in range(3):
        for inputs, labels in loader():
            optimizer.zero_grad()
            nn.functional.cross_entropy(found(inputs), labels).backward()
            optimizer.step()
    return found.eval()


def accuracy(model, seed=7):
    inputs, labels = examples(300, seed)
    with torch.no_grad():
        found = model.eval()(inputs)
    return float((found.argmax(dim=1) == labels).float().mean())


# The module


@pytest.mark.parametrize("mix", [0.0, 0.3, [0.1, 0.9, 0.5]])
@pytest.mark.parametrize("vector", [None, [0.5, 0.0, 2.0]])
def test_it_is_the_loss_function(mix, vector):
    logits, theirs = torch.randn(2, 5, CLASSES, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0, 2, 1, 1, -100])
    module = SoftTargetLoss(mix, temperature=3.0, log_cost=vector, class_weight=vector)
    expected = soft_target_loss(
        logits, labels, teacher_probabilities(theirs, 3.0),
        mix=mix if isinstance(mix, float) else torch.tensor(mix),
        log_cost=vector, class_weight=vector,
    )  # fmt: skip
    assert torch.allclose(module(logits, labels, theirs), expected)


def test_without_a_teacher_it_is_cross_entropy():
    logits, labels = torch.randn(5, CLASSES), torch.tensor([0, 2, 1, 1, 0])
    found = SoftTargetLoss(mix=0.0)(logits, labels)
    assert torch.allclose(found, nn.functional.cross_entropy(logits, labels))


def test_a_share_without_a_teacher_is_refused():
    with pytest.raises(SettingError, match="needs teacher_probs"):
        SoftTargetLoss()(torch.zeros(2, CLASSES), torch.tensor([0, 1]))


def test_a_checkpoint_keeps_the_vectors_and_a_device_takes_them():
    module = SoftTargetLoss([0.1, 0.2, 0.3], log_cost=[1.0, 2.0, 3.0])
    other = SoftTargetLoss([0.0] * 3, log_cost=[0.0] * 3)
    other.load_state_dict(module.state_dict())
    assert other.mix.tolist() == module.mix.tolist()
    assert module.to("meta").log_cost.device.type == "meta"
    assert repr(module) == "SoftTargetLoss(mix=by class, T=1)"


def test_a_loader_gives_the_mix_of_all_its_examples(teacher):
    inputs, labels = examples(100, 3)
    labels[:4] = -100
    batches = [(inputs[i : i + 30], labels[i : i + 30]) for i in range(0, 100, 30)]
    probs = teacher_probabilities(teacher(inputs), 2.0)
    expected = adaptive_mix(probs, labels, CLASSES)
    assert torch.allclose(dev_mix(teacher, batches, 2.0), expected)


def test_a_teacher_answers_in_eval_mode_and_is_put_back():
    model = network(1)
    model[1].eval()
    dev_mix(model, loader(32))
    assert [module.training for module in model] == [True, False, True, True]
    assert model[1].num_batches_tracked == 0


def test_a_class_without_dev_examples_gets_no_trust(teacher):
    inputs, labels = examples(60, 3)
    assert dev_mix(teacher, [(inputs[labels != 1], labels[labels != 1])])[1] == 0


@pytest.mark.parametrize("batches", [[], [torch.zeros(3)], [{"input": torch.zeros(2, FEATURES)}]])
def test_batches_that_are_none_are_refused(teacher, batches):
    with pytest.raises(SettingError, match="batch"):
        dev_mix(teacher, batches)


# The page


def blocks():
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)


def run(number, **names):
    scope = {"torch": torch, "SoftTargetLoss": SoftTargetLoss, "dev_mix": dev_mix, **names}
    exec(compile(blocks()[number], f"{PAGE.name}, block {number}", "exec"), scope)
    return scope


def test_the_page_makes_its_losses(teacher):
    scope = run(0, teacher=teacher, dev_loader=loader(60, 5))
    assert scope["trust"].shape == (CLASSES,) and scope["trust"].min() > 0.2
    assert scope["adaptive"].mix.tolist() == scope["trust"].tolist()


def test_the_plain_loop_of_the_page_trains(teacher):
    student = network(2)
    before = accuracy(student)
    student.train()
    seen = int(teacher[1].num_batches_tracked)
    run(1, teacher=teacher.train(), student=student, dev_loader=loader(60, 5),
        train_loader=loader(400, 1))  # fmt: skip
    assert accuracy(student) > max(0.9, before)
    assert teacher[1].num_batches_tracked == seen  # the teacher did not learn


@pytest.fixture
def with_torchvision():
    """Frameworks import torchvision, which beside a CPU build of torch needs kdlib's help."""
    torchvision_import.datasets()


def test_the_lightning_module_of_the_page_trains(teacher, with_torchvision, tmp_path):
    lightning = pytest.importorskip("lightning")
    student = network(2)
    before = accuracy(student)
    trainer = lightning.Trainer(
        max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, default_root_dir=tmp_path,
    )  # fmt: skip
    student.train()
    run(2, lightning=lightning, teacher=teacher, student=student, trainer=trainer,
        dev_loader=loader(60, 5), train_loader=loader(400, 1))  # fmt: skip
    assert accuracy(student) > max(0.9, before)


class Tokens(torch.utils.data.Dataset):
    """Sentences of which the class is the commonest of three words."""

    def __init__(self, size, seed):
        make = torch.Generator().manual_seed(seed)
        self.labels = torch.randint(0, CLASSES, (size,), generator=make)
        noise = torch.randint(1, 10, (size, 8), generator=make)
        own = torch.rand(size, 8, generator=make) < 0.5
        self.words = torch.where(own, self.labels[:, None] + 10, noise)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, place):
        return {"input_ids": self.words[place], "labels": self.labels[place]}


def small_bert(transformers, seed):
    torch.manual_seed(seed)
    shape = transformers.BertConfig(
        vocab_size=16, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=16, num_labels=CLASSES,
    )  # fmt: skip
    return transformers.BertForSequenceClassification(shape)


def arguments(transformers, folder, **others):
    sizes = {"per_device_train_batch_size": 16, "num_train_epochs": 3, "learning_rate": 5e-3}
    return transformers.TrainingArguments(
        output_dir=str(folder), report_to=[], save_strategy="no", use_cpu=True, disable_tqdm=True,
        **sizes | others,
    )  # fmt: skip


def share_right(model, dataset):
    with torch.no_grad():
        found = model.eval()(input_ids=dataset.words).logits
    return float((found.argmax(dim=1) == dataset.labels).float().mean())


def test_the_trainer_of_the_page_trains(with_torchvision, tmp_path):
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    train_set, test_set = Tokens(400, 0), Tokens(200, 1)
    teacher, student = (small_bert(transformers, seed) for seed in (0, 1))
    transformers.Trainer(
        model=teacher, args=arguments(transformers, tmp_path), train_dataset=train_set
    ).train()
    assert share_right(teacher, test_set) > 0.8
    before = share_right(student, test_set)
    run(3, transformers=transformers, teacher=teacher, student=student, train_set=train_set,
        arguments=arguments(transformers, tmp_path),
        dev_loader=DataLoader(Tokens(100, 2), batch_size=20))  # fmt: skip
    assert share_right(student, test_set) > max(0.8, before)


@pytest.fixture
def one_step(with_torchvision, tmp_path):
    """Weights after one step of the page's trainer, whose batches are of ``size``."""
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")

    def taken(size, accumulated):
        teacher, student = (small_bert(transformers, seed) for seed in (0, 1))
        for module in student.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        settings = arguments(
            transformers, tmp_path, per_device_train_batch_size=size, max_steps=1, optim="sgd",
            gradient_accumulation_steps=accumulated, learning_rate=0.1, max_grad_norm=0.0,
        )  # fmt: skip
        run(3, transformers=transformers, teacher=teacher, student=student, arguments=settings,
            train_set=Tokens(64, 0),
            dev_loader=DataLoader(Tokens(100, 2), batch_size=20))  # fmt: skip
        return student.classifier.weight.detach()

    return taken


def test_two_accumulated_batches_of_the_trainer_are_one(one_step):
    assert torch.allclose(one_step(16, 1), one_step(8, 2), atol=1e-6)
