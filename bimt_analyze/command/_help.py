"""What ``bimt-analyze --help`` says before its list of options."""

HELP = """Read trained networks: their circuits, modules and formulas, and how well these match what is known.

CHECKPOINT is a file that bimt-train wrote, or its folder, which means the best seed in it. It may also be a folder of
Hugging Face's transformers with a GPT-2, Llama, Mistral, Qwen2 or Qwen3, or a plain feed-forward network trained
elsewhere (.pt, .pth or .safetensors with a state_dict, .npz, .onnx, .keras), or the weights of a module of any class;
then say what the file does not:

\b
  --activation silu                     between its layers
  --model net.py:make                   or the function that makes its module; net.py is run
  --probe table.csv --target y1 y2      rows to ask it about; the other columns are its inputs
  --final sigmoid --loss bce            how it ends and is judged; left out, what fits the table best
  --range -1 1                          or a range to draw rows from; once for all inputs, or once for each
  --key ema                             which of several networks in the file, by the path of its entry
  --orientation in-out                  how its weights are stored, where neither names nor shapes tell
  --role 0.scale=ignore                 what a tensor is, where its name does not tell: weight, kernel, bias, ignore
  --parts "y1: x1 x3; y2: x2 x4"        what is known, if anything: which output depends on which inputs,
                                        also by way of functions between: "f: x1 x2; y1 y2: f x3"

Several files, a folder of files, or a manifest.csv give one page over all and one report each, in the folder of --out.
A manifest has a column "file" and, if need be, columns called as the options: activation, probe, target, range, final,
loss, standardize, key, orientation, role, batch-norm, lora-scale, layout, model, parts. The command line's options are
defaults for its empty cells. A file that cannot be read, or takes longer than --time-budget, is a row with its reason.

With --time COLUMN, CHECKPOINT is a table of trajectories, one row a time: the differential equations behind them are
found, checked by integration from a held-out trajectory (the last of three or more), with what drives what and what is
conserved. --time-limit is then that of everything, 60 s if left out.

\b
Examples:
  bimt-analyze runs/independence --html report.html
  bimt-analyze runs/independence --audit --require audit.modular --require "agreement>=0.9"
  bimt-analyze model.pt --activation silu --range -2 2 --json report.json
  bimt-analyze model.pt runs/independence --activation silu --range -1 1 --out audits/
  bimt-analyze runs/independence --certify proof.json        # --check proof.y1.json checks it

\b
A table in the place of a network gives the law behind its rows:

\b
  bimt-analyze table.csv --target y                            a formula of the other columns
  bimt-analyze table.csv --target y --groups batch             one form, with constants of its own in each group
  bimt-analyze table.csv --target y --form "a*exp(-b*t) + c"   a form that is fitted and judged
  bimt-analyze table.csv --target y --functions sin,exp        a search with these functions alone
  bimt-analyze table.csv --target y --discrete                 logic, a sum modulo a number, a recurrence

\b
--require takes a field of the JSON report, a comparison and a number, and may be given several times:
  agreement>=0.9            score of the modules against the known decomposition
  significance.p<0.05       how often a network without modular structure looks as modular
  formulas.y1.r2>0.999      formulas.*.identified for all outputs; a field alone must be true
  modules==2                a list stands for its length

\b
Exit status: 0 done; 1 a requirement or a proof does not hold, or one of many files is not analysed; 2 bad input, said
in one line.
"""
