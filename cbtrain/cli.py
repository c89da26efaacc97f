"""The command line of `cbtrain`: data -> train -> merge. No logic; `--help` loads neither torch nor transformers."""

import sys
from pathlib import Path

import click

from cbtrain import __version__
from cbtrain.errors import CbtrainError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cbtrain")
def cli() -> None:
    """Train circuit breakers for language models.

    \b
    Example:
      cbtrain data --model MODEL --out out/data
      cbtrain train --model MODEL --data out/data --out out/adapter
      cbtrain merge out/adapter --out out/cb
    """


@cli.command()
@click.option("--model", required=True, help="The model that is to be broken: folder or hub id.")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Folder for harmful.jsonl and retain.jsonl."
)
@click.option("--max-new-tokens", default=48, show_default=True, help="Length of an answer.")
@click.option("--seed", default=0, show_default=True)
def data(model: str, out: Path, max_new_tokens: int, seed: int) -> None:
    """Let the model answer the embedded prompts: pairs to train on.

    OUT then holds harmful answers in the model's own words: keep it out of version control.

    \b
    Example:
      cbtrain data --model MODEL --out out/data
    """
    from cbtrain.data.pairs import make_pairs

    counts = make_pairs(model, out, max_new_tokens=max_new_tokens, seed=seed)
    click.echo(f"{out}: {counts['harmful']} harmful and {counts['retain']} retain conversations")


@cli.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@click.option("--model", required=True, help="The base model: folder or hub id.")
@click.option("--data", "data_folder", type=click.Path(path_type=Path), help="Folder that `cbtrain data` wrote.")
@click.option("--harmful", help="Instead of --data: JSONL file or dataset of answers to reroute.")
@click.option("--retain", help="Instead of --data: JSONL file or dataset of answers to keep.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the adapter and training.json.")
@click.option("--config", type=click.Path(path_type=Path), help="YAML file of CircuitBreakerConfig fields.")
@click.pass_context
def train(
    ctx: click.Context,
    model: str,
    data_folder: Path | None,
    harmful: str | None,
    retain: str | None,
    out: Path,
    config: Path | None,
) -> None:
    """Train a breaker as a LoRA adapter.

    Every field of CircuitBreakerConfig (and so of transformers.TrainingArguments) is an option too and wins over
    --config: --alpha, --schedule linear|cosine|constant, --target_layers 9 19, --retain_weight, --max_steps,
    --per_device_train_batch_size, --learning_rate, --lora_r, --lora_b_std, --max_length, --seed, ...

    \b
    Example:
      cbtrain train --model MODEL --data out/data --out out/adapter --max_steps 80
    """
    from cbtrain.run import train_breaker

    record = train_breaker(
        model, out, data_folder=data_folder, harmful=harmful, retain=retain, config=config, overrides=ctx.args
    )
    last = record["monitors"][-1]
    click.echo(
        f"{out}: {record['status']}; harmful cosine {last['harmful_cosine']:.2f}, "
        f"retain cosine {last['retain_cosine']:.2f}, escaped at step {record['escape_step']}, "
        f"{record['seconds']:.0f} s. Cosines prove nothing: evaluate it."
    )
    if record["status"] != "ok":
        raise CbtrainError(
            f"{out}: no_effect: the harmful states still point where they did; try a larger --lora_b_std or "
            "--learning_rate, or a smaller --retain_weight"
        )


@cli.command()
@click.argument("adapter", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the full model.")
@click.option("--base", help="The base model, if the one the adapter names has moved.")
def merge(adapter: Path, out: Path, base: str | None) -> None:
    """Merge ADAPTER into its base: a full model that transformers and vLLM load.

    \b
    Example:
      cbtrain merge out/adapter --out out/cb
    """
    from cbtrain.merge import merge as merge_adapter

    click.echo(merge_adapter(adapter, out, base=base))


def main() -> None:
    """Run the command line; exit 0 good, 1 failure, 2 usage, 130 interrupted."""
    try:
        sys.exit(cli.main(standalone_mode=False) or 0)
    except CbtrainError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(130)


if __name__ == "__main__":
    main()
