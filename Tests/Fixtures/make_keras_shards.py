"""Makes Tests/Fixtures/keras_shards: one small Keras model's weights in one file and in shards. Needs keras and torch."""

import os

os.environ["KERAS_BACKEND"] = "torch"
import keras

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "keras_shards")

if __name__ == "__main__":
    os.makedirs(HERE, exist_ok=True)
    keras.utils.set_random_seed(5)
    layers = keras.layers
    model = keras.Sequential([
        keras.Input((8, 8, 3)), layers.Conv2D(4, 3, name="c1"), layers.BatchNormalization(name="bn"),
        layers.GlobalAveragePooling2D(), layers.Dense(10, name="d"),
    ])
    model.save_weights(f"{HERE}/whole.weights.h5")
    model.save_weights(f"{HERE}/split.weights.json", max_shard_size=5e-7)
