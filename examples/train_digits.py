"""Trains a small neural network on the handwritten digits that scikit-learn ships, and says how well it reads them.

    gramwatt run -- python3 examples/train_digits.py
"""

from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

EPOCHS = 60

images, labels = load_digits(return_X_y=True)
train_x, test_x, train_y, test_y = train_test_split(images / 16.0, labels, test_size=0.25, random_state=0)
model = MLPClassifier(hidden_layer_sizes=(256, 128), batch_size=64, random_state=0)

for epoch in range(1, EPOCHS + 1):
    model.partial_fit(train_x, train_y, classes=range(10))
    if epoch % 10 == 0:
        print(f"epoch {epoch:3d}  loss {log_loss(train_y, model.predict_proba(train_x)):.4f}", flush=True)

print(f"test accuracy {model.score(test_x, test_y):.3f} on {len(test_y)} images")
